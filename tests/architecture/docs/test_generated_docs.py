"""The generated pages are what the code makes of them now, and there are no others."""

import re
from collections.abc import Callable

import pytest

import devicectl
from tests.architecture.docs.generate_docs import ELSEWHERE, FOLDER, PAGES, ROOT
from tests.architecture.docs.pages.api_page import GROUPS, errors, page


@pytest.mark.parametrize(("name", "text_of"), PAGES, ids=[name for name, _ in PAGES])
def test_page_is_up_to_date(name: str, text_of: Callable[[], str]) -> None:
    found = (FOLDER / name).read_text(encoding="utf-8")
    assert found == text_of(), "run: python -m tests.architecture.docs.generate_docs"


@pytest.mark.parametrize(("name", "text_of"), ELSEWHERE, ids=[name for name, _ in ELSEWHERE])
def test_file_elsewhere_is_up_to_date(name: str, text_of: Callable[[], str]) -> None:
    found = (ROOT / name).read_text(encoding="utf-8")
    assert found == text_of(), "run: python -m tests.architecture.docs.generate_docs"


def test_every_file_has_its_generator() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted(name for name, _ in PAGES)


def test_pages_are_the_same_each_time() -> None:
    for _, text_of in [*PAGES, *ELSEWHERE]:
        assert text_of() == text_of()


def test_the_api_page_has_each_public_name() -> None:
    assert sorted([*errors(), *(name for names in GROUPS.values() for name in names)]) == sorted(devicectl.__all__)


def test_the_api_page_has_the_fixtures_that_the_page_on_pytest_has() -> None:
    table = (ROOT / "docs/pytest.md").read_text(encoding="utf-8").partition("## Options")[0]
    written = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert sorted(re.findall(r"^### `(handpiece\w*)`$", page(), re.MULTILINE)) == sorted(written)
