"""Many sessions: drawn from a profile, judged in processes or on a cluster, added up and reported.

Law: it composes; one session and its judges are the package's above it.
"""
