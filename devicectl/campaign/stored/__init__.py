"""A stored capture, judged by what judges a trial: `devicectl check`.

Law: what the file does not show is skipped with its reason, and never counts as right.
"""
