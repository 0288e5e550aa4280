"""The trainee's controller as a program: its hosts, its screen, and the hands of the person at it.

Law: what it shows the host was told, or the person has done. Nothing here comes from the device's inside.
"""
