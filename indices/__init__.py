"""What a GPU-hour, or a unit of work, costs today: marks made by a methodology that is data, each with an audit that recomputes it."""
