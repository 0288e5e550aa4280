"""Pages that are made from the code: each function returns one's whole text."""
