"""The last strokes of the needles, as the count is watched: what each brought, and what is missing.

Law: it counts and judges nothing. A stroke that a clog explains stays in the window, and is not missing any more.
"""


class StrokeWindow:
    """The last `length` strokes of `needles` needles that are not held to be clogged."""

    def __init__(self, needles: int, length: int) -> None:
        self.missing = 0
        """Strokes of the window that brought nothing and are not explained."""
        self.empty_in_row = [0] * needles
        """Strokes since its last core, of each needle."""
        self._length = length
        self._strokes: list[list[int]] = []  # rows [needle, 1 for missed]

    def add(self, needle: int, missed: bool) -> None:
        """Take one stroke; the oldest leaves a full window."""
        strokes = self._strokes
        if len(strokes) == self._length:
            self.missing -= strokes.pop(0)[1]
        strokes.append([needle, int(missed)])
        self.missing += missed

    def explain(self, needle: int) -> None:
        """Count the run of misses of a clogged needle as missing no more."""
        run = self.empty_in_row[needle]
        for stroke in reversed(self._strokes):
            if stroke[0] == needle and run:
                run -= 1
                self.missing -= stroke[1]
                stroke[1] = 0
