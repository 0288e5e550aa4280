"""The process that passes bytes on: it knows two ends and a pipe, and nothing of frames.

Law: a piece is passed on before it is told of. What watches may be slow, or gone: the line does not wait for it.
"""
