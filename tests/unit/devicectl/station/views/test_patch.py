"""Differences of a view make the new document of the old one, and a client that comes back misses none."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devicectl.station.views.patch import KEPT_PATCHES, Document, History, merge_patch

LEAVES = st.integers(0, 9) | st.text(max_size=3) | st.lists(st.integers(0, 3), max_size=3)
DOCUMENTS = st.recursive(
    st.dictionaries(st.sampled_from("abcd"), LEAVES, max_size=4),
    lambda inner: st.dictionaries(st.sampled_from("abcd"), inner | LEAVES, max_size=4),
    max_leaves=20,
)


def patched(document: Any, patch: Any) -> Any:
    """MergePatch of RFC 7386, section 2, as it is written there."""
    if not isinstance(patch, dict):
        return patch
    target = dict(document) if isinstance(document, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = patched(target.get(name), value)
    return target


def client(messages: list[str], document: Any = None, no: int = 0) -> tuple[Any, int]:
    """Document and number of a client after these messages."""
    for text in messages:
        message = json.loads(text)
        if message["type"] == "snapshot":
            document = message["view"]
        else:
            assert message["no"] == no + 1, "a patch follows the one before it"
            document = patched(document, message["patch"])
        no = message["no"]
    return document, no


@given(DOCUMENTS, DOCUMENTS)
def test_a_patch_makes_the_new_document_of_the_old(before: Document, after: Document) -> None:
    assert patched(before, merge_patch(before, after)) == after


@given(DOCUMENTS)
def test_equal_documents_have_no_difference(document: Document) -> None:
    assert merge_patch(document, json.loads(json.dumps(document))) == {}


def test_a_patch_has_nothing_but_what_changed() -> None:
    before: Document = {"counts": {"cores": 3, "target": 9}, "cells": {"0:1": 40, "0:2": 10}, "next": {"words": "Arm."}}
    after: Document = {"counts": {"cores": 6, "target": 9}, "cells": {"0:1": 40}, "next": {"words": "Arm."}}
    assert merge_patch(before, after) == {"counts": {"cores": 6}, "cells": {"0:2": None}}


@given(st.lists(DOCUMENTS, min_size=1, max_size=8), st.integers(-2, 10))
def test_a_client_that_comes_back_has_the_view_again(documents: list[Document], last: int) -> None:
    history = History(documents[0])
    seen = {history.no: documents[0]}
    for document in documents[1:]:
        history.update(document)
        seen[history.no] = document
    assert client(history.resume(last), seen.get(last), last) == (documents[-1], history.no)


def test_a_client_that_was_away_too_long_is_sent_the_whole_view() -> None:
    history = History({"n": 0})
    for n in range(1, KEPT_PATCHES + 2):
        history.update({"n": n})
    assert len(history.resume(2)) == KEPT_PATCHES
    assert history.resume(1) == [history.snapshot()]


def test_a_number_of_an_earlier_run_of_the_server_is_sent_the_whole_view() -> None:
    history = History({"n": 0}, first=1_000)
    history.update({"n": 1})
    assert history.resume(7) == [history.snapshot()]
    assert client(history.resume(7)) == ({"n": 1}, 1_001)


def test_an_unchanged_view_sends_nothing() -> None:
    history = History({"n": 0})
    assert history.update({"n": 0}) is None
    assert history.resume(history.no) == []


def test_a_client_that_has_nothing_yet_is_sent_the_whole_view() -> None:
    history = History({"n": 0})
    assert history.resume(0) == [history.snapshot()]
    history.update({"n": 1})
    assert client(history.resume(0)) == ({"n": 1}, history.no)


def test_what_json_has_no_word_for_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        History({"kpa": 0.0}).update({"kpa": float("nan")})
