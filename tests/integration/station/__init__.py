"""The trainers' station, its parts put together."""
