"""The page: whole without anything else, without a script, and a text is a text wherever it comes from."""

import base64
import hashlib
import itertools
import re
from html.parser import HTMLParser

import pytest

from devicectl.station.debrief.page import DISCLAIMER, POLICY, debrief_page
from protocols.text.notice import NOTICE
from tests.unit.devicectl.station.debrief.samples import empty_facts, full_facts
from tests.unit.devicectl.station.debrief.test_markup import HOSTILE

VOID = {"meta", "br", "line", "rect", "circle", "polyline"}


class Reader(HTMLParser):
    """Notes the elements of a page, and holds each end against its beginning."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.feed(page)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_people_wrote_adds_no_element_and_no_attribute(hostile: str) -> None:
    harmless, read = Reader(debrief_page(full_facts())), Reader(debrief_page(full_facts(hostile)))
    assert read.elements == harmless.elements
    assert [name for name, _ in read.attributes] == [name for name, _ in harmless.attributes]


def test_it_has_no_script_and_loads_nothing() -> None:
    read = Reader(debrief_page(full_facts()))
    assert not {"script", "iframe", "img", "link", "object", "form", "a"} & {*read.elements}
    names = {name for name, _ in read.attributes}
    assert not {"src", "href", "style", "srcset", "action"} & names
    assert not [name for name in names if name.startswith("on")]


def test_its_policy_allows_its_own_style_and_nothing_else() -> None:
    page = debrief_page(full_facts())
    style = re.search("<style>(.*)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" == POLICY
    assert ("content", POLICY) in Reader(page).attributes


@pytest.mark.parametrize("page", [debrief_page(full_facts()), debrief_page(empty_facts())])
def test_it_says_what_it_is_and_what_it_is_not(page: str) -> None:
    assert NOTICE in page and DISCLAIMER in page
    assert "model, not of medicine" in DISCLAIMER and "not a certificate" in DISCLAIMER
    assert page.startswith("<!doctype html>") and '<html lang="en">' in page


def test_headings_go_down_by_one_level() -> None:
    levels = [int(name[1]) for name in Reader(debrief_page(full_facts())).elements if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_drawings_are_passed_over_by_screen_readers() -> None:
    read = Reader(debrief_page(full_facts()))
    assert read.elements.count("svg") == read.attributes.count(("aria-hidden", "true")) == 5


def test_a_what_if_says_where_the_runs_part_or_why_there_is_none() -> None:
    page = debrief_page(full_facts())
    assert "The two runs part at 1:40.0. As it was: Ada. As it would have been: Ada." in page
    assert "The two runs never differ." in page
    assert "What if he had purged?" in page and '<p class="soft">Ada</p>' in page


def test_sections_without_a_meaning_are_left_out() -> None:
    page = debrief_page(empty_facts())
    assert "<h2>What if</h2>" not in page and "<h2>Questions</h2>" not in page
    assert "The instructor noted nothing." in page and "no name given" in page


def test_earlier_attempts_are_named() -> None:
    page = debrief_page(full_facts())
    assert "is lesson 11, ended at 3:20.0; the class went back to 1:30.0" in page
    assert "is lesson 10; the class went back to 1:20.0" in page
