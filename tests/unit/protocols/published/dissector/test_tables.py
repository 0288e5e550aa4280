"""Tables of the dissector: every model is in them, as what the docs and the golden vectors say of it."""

import re

from protocols.language import messages as M
from protocols.language.records import RECORDS
from protocols.published.dissector import PARTS, tables
from protocols.text.notice import NOTICE
from tests import vectors

TEXT = tables.text()


def row(key: str) -> str:
    """The line of a table that begins with this key."""
    (found,) = re.findall(rf"^  \[{re.escape(key)}\] = (.*),$", TEXT, re.MULTILINE)
    return str(found)


def test_a_row_has_name_key_and_fields_with_what_is_known_of_them() -> None:
    assert row("0x00307") == (
        '{kind=0, id=775, least=10, name="Punch", snake="punch", fields={{"cycle_no", "u32"}, '
        '{"depth_um", "u16", unit="um"}, {"deadline_ms", "u32", unit="ms"}}}'
    )
    assert '{"coverage_bp", "u16", unit="0.01 %", low=400, high=800}' in row("0x00301")
    assert '{"zones_cm2", "u16", tail=true, unit="cm2"}' in row("0x00301")
    assert '{"records", "bytes", tail=true, records=true}' in row("0x10502")
    assert "since=1" in row("0x00f02") and "since" not in row("0x00307")


def test_numbers_with_names_have_them() -> None:
    assert '{"interlock", "u8", enum="interlock"}' in row("0x10012")
    assert '{"alarm_code", "u16", enum="alarm_code"}' in row("0x10013")
    assert '{"outcomes", "u32", nibbles="needle_outcome"}' in row("0x1030a")
    assert '[1501]="MC-1501 LINK_LOST"' in row('"alarm_code"') and '"SUCTION"' in row('"interlock"')
    assert row('"role"') == '{[0]="VIEWER", "CONTROLLER", [255]="UNKNOWN"}'


def test_every_message_record_and_enumeration_is_there() -> None:
    assert set(re.findall(r'^  \[0x\w{5}\] = .*?name="(\w+)"', TEXT, re.MULTILINE)) == set(M.__all__)
    assert set(re.findall(r'^  \[\d+\] = \{name="(\w+)"', TEXT, re.MULTILINE)) == {
        model.__name__ for model in RECORDS.values()
    }
    used = set(re.findall(r'(?:enum|nibbles)="(\w+)"', TEXT))
    assert used <= set(re.findall(r'^  \["(\w+)"\] = \{', TEXT, re.MULTILINE))


def test_fields_are_those_of_the_golden_vectors() -> None:
    for vector in vectors.load("frames.json")["frames"]:
        if vector["outcome"] == "message":
            key = f"0x{vector['header']['kind'] << 16 | vector['header']['message_id']:05x}"
            assert re.findall(r'\{"(\w+)", "', row(key)) == list(vector["fields"])


def test_retained_bodies_have_their_lists() -> None:
    assert '{"alarms", "list", items={name="AlarmShown", snake="alarm_shown", fields=' in row('"alarms"')
    assert '{"online", "bool"}' in row('"status"')


def test_it_says_what_it_is_and_is_the_same_each_time() -> None:
    assert NOTICE in TEXT.splitlines()[0] and tables.text() == TEXT
    assert len(set(PARTS)) == len(PARTS)
