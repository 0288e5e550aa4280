"""Ways to a device: URLs; TCP, serial ports and MQTT behind one small interface.

Law: a foreign exception is translated here, once; what leaves is a `LinkError` or a reason in words.
"""
