"""Facts of a lesson by executing it again, and those of the same lesson with another act."""
