"""The composition root of `sim://`: a host and a device in one process, on one event heap.

Law: the only package of `devicectl` that imports `firmware_sim`. Bytes are framed, checked and decoded here as on a
line; nothing touches a socket, a thread or an executor.
"""
