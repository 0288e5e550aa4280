"""Commands of the trainers' station."""
