"""Why two indices differ: the gap between two prints split over the rules in which their methodologies differ."""
