"""The twin: a recording of a device, held against the simulated one by what its answers mean.

    conversation.py   the recording as frames: what its host said, what its device answered, when
    beginning.py      a simulated device that stands where the recorded one stood
    feed.py           the recorded host's frames, at their recorded times, to that device
    alignment.py      each answer beside the recorded one; the first divergence
    masks.py          what may differ in a message, and by how much
    reactions.py      how long both devices took
    profile.py        the file that says what may differ
    twin.py           all of it: a recording and a profile in, a verdict out

Law: no I/O, no clock, no chance. The simulated device is used as it is, through its ports.
"""
