"""Writes what in `docs/generated/` is made from the code; a test holds the files to it.

    python -m tests.architecture.generate_docs        rewrites every file

To add a page, add its file name and a function that returns its whole text to `PAGES`; nothing else is needed.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from firmware_sim.parameters import parameters_table
from tests.architecture import message_tables, reference_pages

FOLDER: Final = Path(__file__).parents[2] / "docs" / "generated"

PAGES: Final[list[tuple[str, Callable[[], str]]]] = [
    ("alarms.md", reference_pages.alarms),
    ("command_line.md", reference_pages.command_line),
    ("device_states.md", reference_pages.device_states),
    ("messages.md", message_tables.page),
    ("parameters.md", parameters_table),
    ("session_states.md", reference_pages.session_states),
]
"""(file name in `docs/generated/`, what returns its text); texts depend on the code alone, never on time or machine."""


def main() -> None:
    """Rewrite every page that has changed, and name it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text_of in PAGES:
        path = FOLDER / name
        text = text_of()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"written: {name}")


if __name__ == "__main__":
    main()
