"""The description for Kaitai Struct, as YAML and by its own words; what a compiler makes of it is tested elsewhere."""

from typing import Any, Final

import yaml

from protocols.language import messages as M
from protocols.language.layouts import LAYOUTS
from protocols.language.records import RECORD_SIZE, RECORDS
from protocols.published import kaitai
from protocols.text.notice import NOTICE

TEXT: Final = kaitai.text()
KSY: Final[dict[str, Any]] = yaml.safe_load(TEXT)
SIZES: Final = {"u1": 1, "u2": 2, "u4": 4, "u8": 8, "s4": 4, "f8": 8}


def cells(name: str) -> dict[str, dict[str, Any]]:
    """The fields of a type by their ids."""
    return {cell["id"]: cell for cell in KSY["types"][name]["seq"]}


def size_of(name: str) -> int:
    """Bytes of a type's fields of fixed size."""
    fixed = [cell for cell in KSY["types"][name]["seq"] if "repeat" not in cell and "size-eos" not in cell]
    return sum(cell.get("size") or SIZES[cell["type"]] for cell in fixed)


def test_each_message_is_a_case_with_fields_of_its_size() -> None:
    cases = KSY["seq"][1]["type"]["cases"]
    assert sorted(cases) == sorted(getattr(M, name).KIND << 16 | getattr(M, name).ID for name in M.__all__)
    for name in M.__all__:
        model = getattr(M, name)
        made = cases[model.KIND << 16 | model.ID]
        assert size_of(made) == (RECORD_SIZE if model is M.Event else LAYOUTS[model].size), name


def test_each_record_is_a_case_with_fields_of_its_size() -> None:
    cases = cells("journal_record")["body"]["type"]["cases"]
    assert len(cases) == len(RECORDS)
    for model in RECORDS.values():
        assert size_of(cases[f"record_kind::{model.KIND.name.lower()}"]) == LAYOUTS[model].size - 8


def test_ranges_units_and_enumerations_are_said() -> None:
    opened = cells("session_open")
    assert (
        opened["coverage_bp"]["valid"] == {"min": 400, "max": 800} and opened["coverage_bp"]["doc"] == "Unit: 0.01 %."
    )
    assert opened["zones_cm2"] == {"id": "zones_cm2", "type": "u2", "repeat": "eos", "doc": "Unit: cm2."}
    assert cells("refused")["code"]["enum"] == "code" and KSY["enums"]["code"][5] == "e_state"
    assert KSY["enums"]["alarm_code"][1501] == "link_lost"
    assert cells("param_set")["value"]["valid"] == {"expr": "_ - _ == 0"}


def test_a_bool_is_a_byte_and_what_it_means() -> None:
    assert cells("heartbeat")["trigger_held_byte"]["type"] == "u1"
    assert KSY["types"]["heartbeat"]["instances"] == {"trigger_held": {"value": "trigger_held_byte != 0"}}


def test_a_word_of_some_language_is_no_id() -> None:
    assert "default_value" in cells("param_list_done")
    ids = {cell["id"] for kind in KSY["types"].values() for cell in kind["seq"]}
    assert not ids & kaitai.RESERVED


def test_it_says_what_it_is_and_is_the_same_each_time() -> None:
    assert NOTICE in TEXT.splitlines()[0] and NOTICE in KSY["doc"]
    assert kaitai.text() == TEXT and max(map(len, TEXT.splitlines())) <= 140
