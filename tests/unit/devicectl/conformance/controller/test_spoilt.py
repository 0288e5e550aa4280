"""A spoiled frame is wrong in its one place: a device's own decoder says which."""

import pytest

from devicectl.conformance.controller.line import Line
from devicectl.conformance.controller.spoilt import BORNE, JOINED, REFUSED
from devicectl.conformance.controller.tape import Said, Tape
from devicectl.conformance.device.wires import BytesWire, Item
from protocols.language.units import Micros

SAID = Said(Micros(0), 0, False, Item(None, None, ""))


def decoded(make: object) -> list[Item]:
    assert callable(make)
    line = Line(Tape(), 0, (), {})
    line.link_id = 5
    wire = BytesWire()
    return [item for data in make(line, SAID) for item in wire.feed(data)]


@pytest.mark.parametrize("name", ["short", "nul", "utf8", "nan", "unknown"])
def test_a_payload_is_wrong_where_it_says(name: str) -> None:
    (item,) = decoded(next(one[3] for one in REFUSED if one[0] == name))
    assert item.message is None and item.header is not None and item.problem


def test_headers_are_wrong_in_one_field() -> None:
    makes = {one[0]: one[3] for one in REFUSED}
    headers = {name: decoded(makes[name])[0].header for name in ("must-understand", "major", "link")}
    assert all(headers.values())
    flagged, other, linked = (headers[name] for name in ("must-understand", "major", "link"))
    assert flagged is not None and flagged.flags & 0x30
    assert other is not None and other.major == 2
    assert linked is not None and linked.link_id not in (0, 5)


def test_what_is_borne_is_a_message_or_no_frame() -> None:
    for name, _, _, make in BORNE:
        for item in decoded(make):
            assert (item.message is not None) != (item.header is None), name


def test_joined_frames_are_two() -> None:
    assert len(decoded(JOINED)) == 2
