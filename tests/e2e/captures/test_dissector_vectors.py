"""The dissector against the golden vectors, whose own values are the judge: as tshark shows each field."""

import math
from typing import Any, Final

import pytest

from protocols.capture.packet import TO_DEVICE
from tests import vectors
from tests.e2e.captures.frames import frame
from tests.e2e.captures.shark import Item, Shark, recording, snake

FRAMES: Final = vectors.load("frames.json")
RECORDS: Final = vectors.load("records.json")["records"]
Vector = dict[str, Any]


@pytest.fixture(scope="module")
def shown(shark: Shark) -> dict[str, Item]:
    """Each vector's packet by the vector's name, each on a port of its own."""
    pieces = [(vector["name"], TO_DEVICE, bytes.fromhex(vector["hex"])) for vector in FRAMES["frames"]]
    packets = shark.packets(recording(*pieces))
    return {name: packet for (name, _, _), packet in zip(pieces, packets, strict=True)}


def named(*outcomes: str) -> list[Any]:
    return [pytest.param(vector, id=vector["name"]) for vector in FRAMES["frames"] if vector["outcome"] in outcomes]


def same(shows: list[str], value: Any) -> bool:
    """True where tshark shows the value of a vector."""
    if isinstance(value, list):
        return shows == [str(one) for one in value]
    if len(shows) != 1:
        return shows == [] and value == ""  # of an array without an element
    (show,) = shows
    if isinstance(value, bool):
        return show in (("1", "True") if value else ("0", "False"))
    if isinstance(value, float):
        return math.isclose(float(show), value, rel_tol=1e-14)
    return show.replace(":", "") == value if isinstance(value, str) and ":" not in value else show == str(value)


def assert_fields(packet: Item, prefix: str, fields: dict[str, Any]) -> None:
    """Hold each value, and that there is no other."""
    for name, value in fields.items():
        shows = packet.shows(f"{prefix}.{name}")
        if value == 255 and shows != ["255"]:
            assert "Unknown" in packet.all(f"{prefix}.{name}")[0].text  # an enumerator that is not known reads as 255
        else:
            assert same(shows, value), (name, shows, value)
    names = {item.name for item in packet.walk() if item.name.startswith(f"{prefix}.") and ".needle_" not in item.name}
    assert names <= {f"{prefix}.{name}" for name in fields}


def assert_header(packet: Item, header: dict[str, int]) -> None:
    for name, value in header.items():
        assert int(packet.only(f"hlp1.{name}"), 0) == value, name


@pytest.mark.parametrize("vector", named("message"))
def test_message(vector: Vector, shown: dict[str, Item]) -> None:
    packet = shown[vector["name"]]
    assert_header(packet, vector["header"])
    assert packet.only("hlp1.message") == vector["message"]
    assert_fields(packet, f"hlp1.{snake(vector['message'])}", vector["fields"])
    assert packet.shows("hlp1.crc.good") in (["1"], ["True"])
    assert packet.shows("hlp1.payload") == packet.shows("hlp1.bad_frame") == []
    assert not {"malformed", "bad_crc", "bad_payload", "unknown_message"} & set(packet.experts())


@pytest.mark.parametrize("vector", named("bad payload"))
def test_bad_payload_names_the_field(vector: Vector, shown: dict[str, Item]) -> None:
    packet = shown[vector["name"]]
    assert packet.only("hlp1.message") == vector["message"]
    (said,) = packet.told("bad_payload")
    assert said.startswith(vector["field"] or vector["message"]) and vectors.PHRASES[vector["reason"]] in said


@pytest.mark.parametrize("vector", named("bad frame"))
def test_bad_frame_has_its_reason(vector: Vector, shown: dict[str, Item]) -> None:
    packet = shown[vector["name"]]
    assert packet.only("hlp1.bad_frame") == vector["reason"]
    assert packet.shows("hlp1.message") == []
    if vector["reason"] == "crc":
        assert packet.experts() == ["bad_crc"]
        assert int(packet.only("hlp1.crc"), 0) == vector["crc_received"]
        assert int(packet.only("hlp1.crc.expected"), 0) == vector["crc_expected"]
    else:
        assert packet.told("malformed") == [f"no frame: {vector['reason']}"]


@pytest.mark.parametrize("vector", named("unknown message"))
def test_unknown_message_keeps_its_payload(vector: Vector, shown: dict[str, Item]) -> None:
    packet = shown[vector["name"]]
    assert_header(packet, vector["header"])
    assert packet.only("hlp1.payload").replace(":", "") == vector["payload"]
    assert packet.experts() == ["unknown_message"]


@pytest.mark.parametrize("vector", named("good frame"))
def test_good_frame_that_nobody_may_carry_out_says_why(vector: Vector, shown: dict[str, Item]) -> None:
    packet = shown[vector["name"]]
    assert_header(packet, vector["header"])
    code = vector["receiver"].split()[-1]
    expected = {"E_VERSION": "other_major", "E_UNKNOWN_MESSAGE": "unknown_message", "E_UNSUPPORTED": "must_understand"}
    assert expected[code] in packet.experts()


def test_streams_whole_and_at_every_split(shark: Shark) -> None:
    """One port for each split, so that what is kept between two packets is kept for each port by itself."""
    pieces, expected = [], []
    for number, stream in enumerate(FRAMES["streams"]):
        data = bytes.fromhex(stream["hex"])
        for split in range(len(data)):
            port = f"{number}/{split}"
            pieces += [(port, TO_DEVICE, part) for part in (data[:split], data[split:]) if part]
            expected.append((port, stream["outcomes"]))
    found: dict[str, list[str]] = {}
    names = ("frame.interface_name", "_ws.col.Info")
    for port, info in shark.fields(recording(*pieces), *names):
        heads = [word.removeprefix("no frame: ").split()[0] for word in info.split("; ")]
        found.setdefault(port, []).extend(head for head in heads if head not in ("a", "more"))
    assert list(found.items()) == expected


@pytest.fixture(scope="module")
def records(shark: Shark) -> dict[str, Item]:
    """Each vector of a record, as the payload of an Event, by its name."""
    pieces = [(one["name"], TO_DEVICE, frame("EVENT", 0x0501, bytes.fromhex(one["hex"]))) for one in RECORDS]
    packets = shark.packets(recording(*pieces))
    return {name: packet for (name, _, _), packet in zip(pieces, packets, strict=True)}


@pytest.mark.parametrize("vector", [pytest.param(one, id=one["name"]) for one in RECORDS])
def test_record(vector: Vector, records: dict[str, Item]) -> None:
    packet = records[vector["name"]]
    if vector["outcome"] == "record":
        assert packet.only("hlp1.record") == vector["record"]
        assert_fields(packet, f"hlp1.record.{snake(vector['record'])}", vector["fields"])
        assert packet.experts() == []
    elif vector["outcome"] == "unknown kind":
        assert packet.only("hlp1.record").startswith("kind ")
        assert packet.only("hlp1.record.rest").replace(":", "") == vector["hex"]
    elif vector["hex"]:
        assert packet.experts() == ["bad_record"]
