"""Names of messages as a user selects them: in any case, with or without _, and * for any rest."""

from difflib import get_close_matches
from fnmatch import fnmatchcase
from typing import Final

from protocols.language import messages
from protocols.language.message import Message


def _names_of_messages() -> list[str]:
    kinds = [kind for kind in vars(messages).values() if isinstance(kind, type) and issubclass(kind, Message)]
    return sorted(kind.__name__ for kind in kinds)


BAD_FRAME: Final = "BadFrame"
"""Name by which bytes that are no frame are selected."""
UNKNOWN: Final = "Unknown"
"""The same for messages that this version does not know."""
NAMES: Final = (*_names_of_messages(), BAD_FRAME, UNKNOWN)


class SelectionError(ValueError):
    """A name that no message has; its text is one line."""


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
