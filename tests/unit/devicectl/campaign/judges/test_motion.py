from collections.abc import Sequence
from typing import Any

import pytest

from devicectl.campaign.recording import Recorded
from protocols.language.enums import CloseReason
from protocols.language.messages import PunchDone, SessionClose, SessionOpenDone
from protocols.language.units import Micros
from tests.unit.devicectl.campaign.judges.spoiled import alone, changed, clean, event, said, sentences

_COUNTS = ("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted")
FIRED, ENDED = (event(name, fault=3, kind="pressure_frozen") for name in ("fired", "ended"))
OTHER = event("fired", fault=3, kind="clog")


@pytest.mark.parametrize(
    ("values", "breach"),
    [
        ({"line_kpa": -39.9}, "PUNCH at -39.9 kPa"),
        ({"made": 61}, "PUNCH in a cell of 61"),
        ({"made": None}, "PUNCH in a cell of None"),
        ({"state": "SAFE"}, "PUNCH in SAFE"),
        ({"cartridge_valid": False}, "PUNCH without a valid cartridge"),
        ({"estop": True}, "PUNCH with the emergency stop open"),
        ({"cycle_no": 5}, "cycle 5 begun by the PUNCH of 1"),
        ({"cell": 3}, "cycle 1 was in cell 3, its row says 0"),
        ({"made": 3}, "cell 0 has 0 punctures by the rows, the device knows of 3"),
        ({"planned": 2}, "cycle 1 in cell 0, where 0 of 2 are made"),
    ],
)
def test_a_stroke_against_a_rule_is_seen(values: dict[str, Any], breach: str) -> None:
    packets = changed("stroke", lambda stroke: {**stroke, **values})
    assert breach in sentences("motion", packets)


@pytest.mark.parametrize(
    ("before", "after", "breaches"),
    [
        ((), (), ["PUNCH at -39.9 kPa"]),
        ((FIRED,), (), ["PUNCH at -20 kPa"]),
        ((FIRED,), (ENDED,), ["PUNCH at -20 kPa"]),
        ((FIRED, ENDED), (), ["PUNCH at -39.9 kPa"]),
        ((), (FIRED,), ["PUNCH at -39.9 kPa"]),
        ((OTHER,), (), ["PUNCH at -39.9 kPa"]),
    ],
)
def test_the_line_is_judged_where_its_sensor_has_no_fault_and_else_what_it_reads(
    before: Sequence[Recorded], after: Sequence[Recorded], breaches: list[str]
) -> None:
    packets = changed("stroke", lambda stroke: {**stroke, "line_kpa": -39.9, "sensed_kpa": -20})
    place = next(place for place, one in enumerate(packets) if isinstance(one.data, dict) and "line_kpa" in one.data)
    assert sentences("motion", [*packets[:place], *before, packets[place], *after, *packets[place + 1 :]]) == breaches


def test_a_stroke_after_its_deadline_is_seen() -> None:
    packets, _ = clean()
    late = [one._replace(at_us=Micros(one.at_us + 20_000_000)) if one.at_us else one for one in packets]
    assert any("ms after its deadline" in sentence for sentence in sentences("motion", late))


def test_a_stroke_that_nobody_asked_for_is_seen() -> None:
    packets, _ = clean()
    without = [one for one in packets if one.where != ">device"]
    assert "a stroke without a PUNCH" in sentences("motion", without)


def test_an_advance_with_needles_out_is_seen() -> None:
    packets = changed("state", lambda state: {**state, "state": "ADVANCING", "depth_um": 40}, number=10)
    assert "ADVANCING with needles at 40 um" in sentences("motion", packets)


def test_a_way_between_states_that_the_table_has_not_is_seen() -> None:
    packets = [event("state", state=name, armed=False, depth_um=0) for name in ("SAFE", "ARMED")]
    assert alone(*packets, judge="motion") == ["the device went from SAFE to ARMED"]


def test_needles_that_leave_too_often_or_without_a_cycle_are_seen() -> None:
    packets, _ = clean()
    out, home = event("needles", home_at=None), event("needles", home_at=1)
    assert "needles left home 1 times in one cycle" in sentences("motion", [out, home, *packets])
    end = packets[-1].at_us
    thrice = [event("needles", end, home_at=at) for at in (None, end) * 3]
    assert "needles left home 4 times in one cycle" in sentences("motion", [*packets, *thrice])


def test_a_stroke_that_is_too_deep_and_gone_on_with_is_seen() -> None:
    packets, _ = clean()
    done = PunchDone(cycle_no=8, depth_um=3_501, punctured=7, vacuum_pa=-50_000)
    found = sentences("motion", [*packets, said("device>", done)])
    assert "a stroke of 3501 um, set to 3000, was gone on with" in found


def test_a_start_that_does_not_hold_while_a_session_is_open_is_seen() -> None:
    opened = said(
        "device>",
        SessionOpenDone(session_no=1, first_cycle_no=1, needles=3, cells=1, cycles_per_cell=16, punctures_per_cell=48),
    )
    close = SessionClose(session_no=1, reason=CloseReason.ABORTED, **dict.fromkeys(_COUNTS, 0))
    off, safe, idle = (event("state", state=name, armed=False, depth_um=0) for name in ("OFF", "SAFE", "IDLE"))
    assert alone(opened, off, event("boot"), safe, judge="motion") == []
    assert alone(opened, off, event("boot"), idle, judge="motion") == ["started into IDLE, and a session is open"]
    assert alone(opened, said(">device", close), off, event("boot"), idle, judge="motion") == []


def _is_stroke(one: Recorded, number: int) -> bool:
    return isinstance(one.data, dict) and one.data["event"] == "stroke" and one.data["cycle_no"] == number


def test_a_stroke_has_a_row_unless_power_went_before_anything_was_shown_of_it() -> None:
    (begun,) = [one for one in changed("stroke", lambda stroke: {**stroke, "cycle_no": 99}) if _is_stroke(one, 99)]
    boot, shown = event("boot"), said("device>", PunchDone(cycle_no=99, depth_um=3_000, punctured=7, vacuum_pa=-50_000))

    def rowless(*packets: Recorded) -> bool:
        return "cycle 99 has no row" in alone(*packets, judge="motion")

    assert rowless(begun) and rowless(begun, shown, boot) and not rowless(begun, boot, shown)
