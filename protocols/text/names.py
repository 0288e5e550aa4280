"""Names that people give: zones, courses, sites and devices.

Law: pure. Of two names that look alike there is one: a letter with its accent may be typed as one character or as two.
"""


def one_form(name: str) -> str:
    """A name in Unicode's composed form (NFC)."""
    if name.isascii():
        return name
    import unicodedata  # most names do without its table

    return unicodedata.normalize("NFC", name)


def has_control(text: str) -> bool:
    """True if a text has a control character: an end of a line, or a command to a terminal."""
    return any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in text)
