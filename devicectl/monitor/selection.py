"""Selection of what is shown: messages by name, and one direction."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Selection:
    """Names of messages, empty for all, and the sender, empty for both."""

    names: frozenset[str] = frozenset()
    sender: str = ""

    def takes(self, sender: str, name: str) -> bool:
        """Return True if a message of that name from that sender is shown."""
        return (not self.sender or sender == self.sender) and (not self.names or name in self.names)


NONE: Final = Selection(sender="nobody")
"""Selection that shows no message."""
