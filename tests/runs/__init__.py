"""How a run of all tests goes: in which order, and what its processes share."""
