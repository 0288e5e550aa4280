"""A terminal that a test looks at: what a program writes to it is kept, and nobody else can write to it."""

import io


class Terminal(io.TextIOWrapper):
    """A terminal of an encoding, that keeps what is written to it."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding, write_through=True)

    def isatty(self) -> bool:
        """Say that it is one."""
        return True

    def text(self) -> str:
        """Return all that was written."""
        assert isinstance(self.buffer, io.BytesIO)
        return self.buffer.getvalue().decode(self.encoding)

    def lines(self) -> list[str]:
        """Return it as lines."""
        return self.text().splitlines()
