"""Writes what in `docs/generated/` is made from the code; a test holds the files to it.

    python -m tests.architecture.generate_docs        rewrites every file

To add a page, add its file name and a function that returns its whole text to `PAGES`; nothing else is needed. What
is made from the code and stands in another folder is in `ELSEWHERE`.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from firmware_sim.parameters import parameters_table
from protocols import asyncapi, schemas
from protocols.sides import Side
from tests.architecture import broker_page, c_header, first_contact, message_tables, reference_pages

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "docs" / "generated"


def as_json(document: schemas.Schema) -> str:
    """One value a line: a change shows in a diff as what it is."""
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


PAGES: Final[list[tuple[str, Callable[[], str]]]] = [
    ("alarms.md", reference_pages.alarms),
    ("asyncapi-device.json", lambda: as_json(asyncapi.document(Side.DEVICE))),
    ("asyncapi-device-bundled.json", lambda: as_json(asyncapi.document(Side.DEVICE, bundled=True))),
    ("asyncapi-host.json", lambda: as_json(asyncapi.document(Side.HOST))),
    ("asyncapi-host-bundled.json", lambda: as_json(asyncapi.document(Side.HOST, bundled=True))),
    ("broker.md", broker_page.page),
    ("command_line.md", reference_pages.command_line),
    ("device_states.md", reference_pages.device_states),
    ("messages.md", message_tables.page),
    ("parameters.md", parameters_table),
    ("schemas.json", lambda: as_json(schemas.document())),
    ("session_states.md", reference_pages.session_states),
]
"""(file name in `docs/generated/`, what returns its text); texts depend on the code alone, never on time or machine."""

ELSEWHERE: Final[list[tuple[str, Callable[[], str]]]] = [
    ("docs/first-contact.md", first_contact.page),
    ("docs/plan.md", reference_pages.plan),
    ("examples/c_host/hlp1.h", c_header.text),
]
"""(path in the tree, what returns the file's text)."""


def main() -> None:
    """Rewrite every page that has changed, and name it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text_of in [*((FOLDER / name, of) for name, of in PAGES), *((ROOT / name, of) for name, of in ELSEWHERE)]:
        text = text_of()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"written: {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
