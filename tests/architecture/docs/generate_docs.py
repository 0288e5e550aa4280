"""Writes what in `docs/generated/` is made from the code; a test holds the files to it.

    python -m tests.architecture.docs.generate_docs        rewrites every file

To add a page, add its file name and a function that returns its whole text to `PAGES`; nothing else is needed. What
is made from the code and stands in another folder is in `ELSEWHERE`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from devicectl.simulation.spec import FILES
from tests.architecture.docs import first_contact
from tests.architecture.docs.pages import api_page, broker_page, case_pages, fault_pages, lesson_pages, reference_pages
from tests.soak.matrix import runner as matrix
from tests.soak.mutants import runner

ROOT: Final = Path(__file__).parents[3]
FOLDER: Final = ROOT / "docs" / "generated"


IN_EXAMPLES: Final = "hlp1.h"
VECTORS: Final = ("frames.json", "records.json")
"""Which `tests.vectors.make_vectors` writes."""

PAGES: Final[list[tuple[str, Callable[[], str]]]] = [
    ("api.md", api_page.page),
    ("alarms.md", reference_pages.alarms),
    ("broker.md", broker_page.page),
    ("cases.md", case_pages.page),
    ("command_line.md", reference_pages.command_line),
    ("device_states.md", reference_pages.device_states),
    ("lessons.md", lesson_pages.ready),
    ("kill_matrix.md", matrix.page),
    ("mutants.md", runner.page),
    ("session_start.md", reference_pages.session_start),
    ("session_states.md", reference_pages.session_states),
    *((name, text_of) for name, (_, text_of) in FILES.items() if name not in (IN_EXAMPLES, *VECTORS)),
]
"""(file name in `docs/generated/`, what returns its text); texts depend on the code alone, never on time or machine."""

ELSEWHERE: Final[list[tuple[str, Callable[[], str]]]] = [
    ("docs/faults.md", fault_pages.faults),
    ("docs/first-contact.md", first_contact.page),
    ("docs/lessons.md", lesson_pages.lessons),
    ("docs/model.md", reference_pages.model),
    ("docs/plan.md", reference_pages.plan),
    ("docs/scenarios.md", fault_pages.scenarios),
    *((f"examples/{example}/{IN_EXAMPLES}", FILES[IN_EXAMPLES][1]) for example in ("c_device", "c_host")),
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
