"""A recording: what went over a device's ports, and what was done to the device, as one pcapng file.

    section header     comment: one JSON object with versions, seed, scenario, faults, verdict
    interface          one a port, by its name; those of later ports come later
    enhanced packet    a piece of bytes, or a publication as JSON; to the device or from it, at a microsecond
    interface          `events`, whose packets are JSON objects: what is on no wire

Law: bytes in, bytes out; the caller has the file. A recording is complete: replaying it needs no other file.
"""
