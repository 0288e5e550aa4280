"""Places of a run: every one is named once, with every kind that fits, and no other."""

from collections import Counter

from devicectl.campaign.exhaustive.places import COMMIT_KINDS, PIECE_KINDS, WRITE_KINDS, Place, seconds, singles
from devicectl.campaign.scenario import MQTT, SERIAL
from firmware_sim.faults.fault import Fault
from firmware_sim.faults.kind import Target
from firmware_sim.faults.trigger import Moment

HOST, DEVICE, WRITE, COMMIT = ("piece", "host"), ("piece", "device"), ("write", ""), ("commit", "")
END = {HOST: 3, DEVICE: 4, WRITE: 2, COMMIT: 1}
SINGLES = 7 * len(PIECE_KINDS) + 2 * len(WRITE_KINDS) + len(COMMIT_KINDS)


def shown(place: Place) -> str:
    return str(place.fault.as_json())


def the_first(event: tuple[str, str], number: int, kind: str) -> Place:
    found = [one for one in singles({}, END, SERIAL) if (one.event, one.number) == (event, number)]
    return next(one for one in found if one.fault.kind.name == kind)


def test_each_place_has_each_kind_once() -> None:
    found = list(singles({}, END, SERIAL))
    assert len(found) == len(set(map(shown, found))) == SINGLES
    assert Counter(one.event for one in found)[WRITE] == 2 * len(WRITE_KINDS)


def test_the_fault_of_a_place_begins_there() -> None:
    for one in singles({}, END, SERIAL):
        assert one.fault.when == Moment(*one.event, one.number)


def test_what_was_before_has_no_place() -> None:
    before = {WRITE: 1, HOST: 3}
    assert {(one.event, one.number) for one in singles(before, END, SERIAL) if one.event in before} == {(WRITE, 2)}


def test_a_broker_changes_no_byte() -> None:
    kinds = {one.fault.kind.name for one in singles({}, END, MQTT)}
    assert not {"flip", "insert"} & kinds
    assert "drop" in kinds


def test_seconds_are_at_later_places_of_the_first_ones_own_run() -> None:
    first = the_first(HOST, 2, "drop")
    before, end = {HOST: 2, DEVICE: 1, WRITE: 1}, {HOST: 9, DEVICE: 1, WRITE: 1}
    found = [one for one in seconds(first, before, end, SERIAL) if one.number > 2]
    assert {(one.event, one.number) for one in found} == {(HOST, number) for number in range(3, 10)}


def test_two_kinds_at_one_place_are_a_pair_once() -> None:
    before = {HOST: 1, DEVICE: 0}
    kinds = []
    for place in [one for one in singles({}, {HOST: 1}, SERIAL)]:
        kinds += [(place.fault, one.fault) for one in seconds(place, before, before, SERIAL)]
    count = len(PIECE_KINDS)
    assert len(kinds) == count * (count - 1) // 2
    assert all(one is not other for one, other in kinds)


def test_a_write_has_one_fate() -> None:
    def both_of_memory(first: Fault, second: Fault) -> bool:
        return first.kind.target is second.kind.target is Target.MEMORY

    first = the_first(WRITE, 2, "torn_write")
    same = [one.fault for one in seconds(first, END, END, SERIAL)]
    assert [fault.kind.name for fault in same] == ["reboot"]
    later = [one.fault for one in seconds(first, END, {**END, WRITE: 3}, SERIAL)]
    assert any(both_of_memory(first.fault, fault) for fault in later)
