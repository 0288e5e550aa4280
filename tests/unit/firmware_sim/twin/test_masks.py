"""Masks: the nearest rule counts, a number is a greatest difference, records have rules of their own."""

import pytest

from firmware_sim.twin.masks import Masks, Rule, names_of
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import DeviceState, Phase
from protocols.language.structs import Struct


def done(depth_um: int, vacuum_pa: int = 0) -> M.PunchDone:
    return M.PunchDone(cycle_no=1, depth_um=depth_um, punctured=7, vacuum_pa=vacuum_pa)


def boot(event_no: int = 1, uptime_ms: int = 0, boot_count: int = 1) -> bytes:
    return R.encode_record(
        R.Boot(event_no=event_no, uptime_ms=uptime_ms, boot_count=boot_count, open_cycle_no=0, phase=Phase.NONE)
    )


@pytest.mark.parametrize(
    ("rules", "differs"),
    [
        ({}, True),
        ({"PunchDone.depth_um": 9.0}, True),
        ({"PunchDone.depth_um": 10.0}, False),
        ({"PunchDone.depth_um": "ignore"}, False),
        ({"PunchDone.*": "ignore"}, False),
        ({"*.depth_um": 10.0}, False),
        ({"*.depth_um": "ignore", "PunchDone.depth_um": "exact"}, True),
        ({"*.depth_um": "ignore", "PunchDone.*": "exact"}, True),
        ({"PunchDone.vacuum_pa": "ignore"}, True),
    ],
)
def test_the_nearest_rule_counts(rules: dict[str, Rule], differs: bool) -> None:
    text = Masks(rules).differs(done(3_000), done(3_010))
    assert (text is not None) is differs
    if text is not None:
        assert text.startswith("PunchDone.depth_um is 3000 in the recording, 3010 in the twin")


def test_what_a_rule_lets_pass_is_counted_and_what_is_equal_is_not() -> None:
    masks = Masks({"PunchDone.depth_um": 10.0, "*.vacuum_pa": "ignore"})
    for found in (done(3_000), done(3_010), done(2_990, 5)):
        assert masks.differs(done(3_000), found) is None
    assert masks.used == {"PunchDone.depth_um": 2, "*.vacuum_pa": 1}


def test_a_number_allows_no_other_flag_or_word() -> None:
    masks = Masks({"StopDone.state": 99.0, "Welcome.simulated": 9.0})
    text = masks.differs(M.StopDone(state=DeviceState.SAFE), M.StopDone(state=DeviceState.IDLE))
    assert text == "StopDone.state is SAFE in the recording, IDLE in the twin, which is more than 99 apart"


def test_two_messages_of_other_kinds_differ_whatever_the_rules_say() -> None:
    masks = Masks({"PauseDone.*": "ignore"})
    assert masks.differs(M.PauseDone(), M.ResumeDone()) == "PauseDone was recorded, ResumeDone was found"


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (boot(), None),
        (boot(uptime_ms=700), None),
        (boot(uptime_ms=1_300), "record 1: Boot.uptime_ms is 0"),
        (boot(boot_count=2), "record 1: Boot.boot_count is 1 in the recording, 2 in the twin"),
        (boot() + boot(2), "1 journal records are in the recording, 2 in the twin"),
        (b"", "1 journal records are in the recording, 0 in the twin"),
        (boot()[:8] + b"\xfe" + boot()[9:], "record 1:"),
        (boot()[:30], "record 1: it cannot be read"),
    ],
)
def test_records_are_compared_one_by_one(found: bytes, says: str | None) -> None:
    masks = Masks({"*.uptime_ms": 1_000.0})
    text = masks.differs(M.Event(record=boot()), M.Event(record=found), lambda uptime_ms: 200)
    assert text is None if says is None else text is not None and text.startswith(says)


def test_the_shift_is_that_of_the_twins_own_uptime_and_for_no_other_field() -> None:
    asked = []

    def shift(uptime_ms: int) -> int:
        asked.append(uptime_ms)
        return 5_000

    masks = Masks({"*.uptime_ms": 10.0})
    assert masks.differs(M.Event(record=boot()), M.Event(record=boot(uptime_ms=5_010)), shift) is None
    assert masks.differs(M.Event(record=boot()), M.Event(record=boot(uptime_ms=10)), shift) is not None
    assert asked == [5_010, 10]
    assert masks.differs(done(0), done(5_000), shift) is not None


def test_each_name_of_a_rule() -> None:
    structs: dict[str, type[Struct]] = {"StopDone": M.StopDone, "PauseDone": M.PauseDone}
    assert sorted(names_of(structs)) == ["*.state", "PauseDone.*", "StopDone.*", "StopDone.state"]
