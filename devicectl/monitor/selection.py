"""Selection of what is shown: messages by name, and one direction."""

from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Final

from protocols.language.message import REGISTRY

BAD_FRAME: Final = "BadFrame"
"""Name by which bytes that are no frame are selected."""
UNKNOWN: Final = "Unknown"
"""The same for messages that this version does not know."""
NAMES: Final = (*sorted({model.__name__ for model in REGISTRY.values()}), BAD_FRAME, UNKNOWN)


class SelectionError(ValueError):
    """A name that no message has; its text is one line."""


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


def parse_names(text: str) -> frozenset[str]:
    """Return the names that a list with commas selects: in any case, with or without _, and * for any rest.

    Raises:
        SelectionError: one selects nothing.
    """
    found: set[str] = set()
    for wanted in text.split(","):
        pattern = _folded(wanted)
        names = [name for name in NAMES if pattern and fnmatchcase(_folded(name), pattern)]
        if not names:
            near = get_close_matches(pattern, map(_folded, NAMES), 1)
            right = next((name for name in NAMES if near and _folded(name) == near[0]), "Punch, Refused or Count*")
            raise SelectionError(f"{wanted.strip()[:40]!r} is no message; for example {right}")
        found.update(names)
    return frozenset(found)


def _folded(name: str) -> str:
    return name.strip().replace("_", "").casefold()
