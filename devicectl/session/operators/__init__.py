"""Operators, who work through a session: the automatic one, or a person; and what they know of the anesthesia."""
