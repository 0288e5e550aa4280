"""Lessons of the trainers' station in the session log."""
