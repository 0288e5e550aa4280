"""Mutants: one-place defects of both ends, each of which some judge must notice."""
