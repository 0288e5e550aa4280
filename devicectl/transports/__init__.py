"""How bytes reach a device: URLs, TCP and serial ports behind one small interface.

Law: a foreign exception is translated here, once; what leaves is a `LinkError` or a reason in words.
"""
