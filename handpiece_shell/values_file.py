"""Reading a file of plain values that a user wrote: a plan, a scenario.

Law: no more is read than such a file may have, and nothing is opened that would wait for a writer.
"""

import stat
from pathlib import Path

from protocols.text.values import MAX_FILE_SIZE, Form, Values, ValuesError, decode_values


def read_values(path: Path, source: str, form: Form) -> Values:
    """Read the mapping in a file, by its suffix `.json` JSON and else YAML; `source` names it in an error.

    Raises:
        ValuesError: not readable, no regular file, or nothing that `decode_values` takes.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe that nobody writes to would never be opened
            raise ValuesError(source, None, None, f"is no regular file: must be {form.noun} in YAML or JSON")
        with path.open("rb") as file:
            raw = file.read(MAX_FILE_SIZE + 1)
    except OSError as error:
        right = f"cannot be read: {error.strerror}; name {form.noun} in YAML or JSON"
        raise ValuesError(source, None, None, right) from error
    return decode_values(raw, source, form, is_json=path.suffix.lower() == ".json")
