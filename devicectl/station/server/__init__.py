"""The station's server: stations in one event loop, their pages, sockets and control API.

Law: the only part of the station that does I/O and reads a clock.
"""
