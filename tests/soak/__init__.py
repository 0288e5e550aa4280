"""Mutated inputs, kills of real processes, and defects that the judges have to see."""
