"""Files, streams and paths, for the shells of both programs.

Law: it may touch the operating system, and imports neither program; `protocols` it may use. What only one end needs
stays at that end.
"""
