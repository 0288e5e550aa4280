"""The header, held against the tables of docs/protocol.md, section 1."""

import pytest

from protocols.link import header
from protocols.link.header import HEADER_SIZE, Header, kind_name


def test_the_flags_are_those_of_the_specification() -> None:
    flags = {name: value for name, value in vars(header).items() if name.isupper() and name != "HEADER_SIZE"}
    assert flags == {
        "SIGNED": 0x01,
        "REPLY_WANTED": 0x02,
        "RETRANSMIT": 0x04,
        "REPLAYED": 0x08,
        "MUST_UNDERSTAND": 0x10 | 0x20,
    }


def test_the_fields_are_those_of_the_specification_in_its_order() -> None:
    assert HEADER_SIZE == 12
    assert Header._fields == (
        "major_and_kind", "flags", "message_id", "seq", "link_id", "correlation_id", "node", "payload_size",
    )  # fmt: skip


@pytest.mark.parametrize(("first", "major", "kind"), [(0x10, 1, 0), (0x17, 1, 7), (0x2F, 2, 15), (0xF0, 15, 0)])
def test_the_first_byte_has_the_major_high_and_the_kind_low(first: int, major: int, kind: int) -> None:
    made = Header(first, 0, 1, 1, 7, 3, 0, 0)
    assert (made.major, made.kind) == (major, kind)


KINDS = ["COMMAND", "REPLY", "PROGRESS", "EVENT", "TELEMETRY", "ALARM", "BULK", "LINK"]


@pytest.mark.parametrize("kind", range(16))
def test_a_kind_has_a_name_for_people_also_where_it_is_none(kind: int) -> None:
    assert kind_name(kind) == (KINDS[kind] if kind < len(KINDS) else f"KIND_{kind}")
