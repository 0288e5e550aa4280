"""Text that came from a peer or a person, made fit for a screen, a line or a table.

Law: whatever passes through here can move no cursor, color nothing, and begins no line of its own.
"""

import json


def printable(text: str) -> str:
    r"""A text with each character that is not printable as Python would escape it: `\n`, `\x1b`, `\u202e`.

    Printable are letters, digits, signs and the blank: no control character, no other space, no mark that turns the
    direction of writing, no half of a surrogate pair.
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def printable_json(text: str) -> str:
    """A JSON text, of one line or more, with what is not printable in its strings escaped as JSON has it."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text)
