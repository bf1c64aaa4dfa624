"""What ahead prices are worth against real time: the premium, its errors, its reasons, and who trades it away."""
