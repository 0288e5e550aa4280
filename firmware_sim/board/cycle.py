"""The open cycle as the firmware holds it in its working memory, and what it answered last.

Law: nothing here outlives a loss of power; what must outlive it is in the non-volatile memory.
"""

from protocols.language.messages import CountDone, PunchDone


class OpenCycle:
    """The stroke under way or made last, and the phase that follows it."""

    def __init__(self) -> None:
        self.tries = 0
        """Strokes begun in this cycle: a stalled one is tried again."""
        self.punctured = False
        self.depth_um = 0
        self.measured_um = 0
        self.phase_done = False
        self.punch_done: PunchDone | None = None
        """Answer to the open cycle's PUNCH, once there is one."""
        self.last_count: CountDone | None = None
        """Answer to the last COUNT of this session."""

    def begin(self, depth_um: int) -> None:
        """Begin the next cycle, whose needles are to go to `depth_um`."""
        self.tries = self.measured_um = 0
        self.punctured = self.phase_done = False
        self.punch_done = None
        self.depth_um = depth_um
