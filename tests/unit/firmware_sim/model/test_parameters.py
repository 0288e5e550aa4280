"""The parameter table, and the values that stand in it."""

import math
import typing

import pytest

from firmware_sim.errors import SimulatorError, UnknownParameterError
from firmware_sim.model.constants import ORDERED, PARAMETERS
from firmware_sim.model.interlocks import LIMITS, ROWS
from firmware_sim.model.parameter import Parameter
from firmware_sim.model.parameters import ParameterError, Parameters, nearest, parameters_table
from protocols.language.enums import ParamScope
from protocols.serial.payload import decode_payload
from tests.native import reaches_inside
from tests.unit.protocols.serial.frames import encode_payload

INTERLOCK_LIMITS = {
    "depth_over_um",
    "vacuum_low_kpa",
    "vacuum_stop_kpa",
    "vacuum_stable_s",
    "canister_block",
    "cartridge_life_cycles",
    "anesthesia_wait_s",
    "anesthesia_valid_s",
    "count_stop",
    "density_cap_per_cm2",
    "heat_stop_c",
    "stall_tries",
}


@reaches_inside
def test_class_body_lists_the_table() -> None:
    hints = typing.get_type_hints(Parameters)
    of_limits = {name for limit in LIMITS.values() for name in (limit.warn, limit.stop)}
    attributes = [row for row in PARAMETERS if row.name not in of_limits]
    assert list(hints) == [row.name for row in attributes]
    assert {name: hint is int for name, hint in hints.items()} == {row.name: row.whole for row in attributes}
    assert set(Parameters().limits) == of_limits


def test_every_index_is_used_once_and_there_is_no_gap() -> None:
    assert [row.index for row in PARAMETERS] == list(range(len(PARAMETERS)))
    assert len({row.name for row in PARAMETERS}) == len(PARAMETERS)


def test_a_limit_is_set_by_parameters_of_its_own_row() -> None:
    for row in ROWS:
        if row.limit is not None:
            assert {row.limit.warn, row.limit.stop} == {parameter.name for parameter in row.parameters}
            assert len(row.alarms) == 2


@pytest.mark.parametrize("row", PARAMETERS, ids=lambda row: row.name)
def test_row_is_sound(row: Parameter) -> None:
    assert row.minimum <= row.default <= row.maximum
    assert row.basis in ("fact", "derived", "assumption")
    assert len(row.name) <= 32 and len(row.unit.encode()) <= 16 and row.why
    values = Parameters()
    held = values.limits[row.name] if row.name in values.limits else getattr(values, row.name)
    assert values.value_of(row.name) == held == row.default
    assert type(held) is (int if row.whole else float)


def test_interlock_limits_stand_from_the_start() -> None:
    scopes = {row.name: row.scope for row in PARAMETERS}
    assert {scopes[name] for name in INTERLOCK_LIMITS} == {ParamScope.START_ONLY}
    assert scopes["lease_armed_ms"] is scopes["trigger_required"] is ParamScope.HOST_SETTABLE


def test_constants_agree_with_each_other() -> None:
    values = Parameters()
    cycle_ms = (
        values.punch_ms + values.dwell_ms + values.retract_ms + values.suction_ms + values.advance_ms + values.count_ms
    )
    assert cycle_ms == 260
    core_mm2 = math.pi / 4 * values.core_diameter_mm**2
    assert values.density_cap_per_cm2 == math.floor(0.08 * 100 / core_mm2)
    # From the strongest vacuum that can be set, the line is vented within 500 ms.
    strongest = next(row for row in PARAMETERS if row.name == "vacuum_set_kpa").minimum
    slowest = next(row for row in PARAMETERS if row.name == "vent_tau_s").maximum
    assert -strongest * math.exp(-0.5 / slowest) < 1
    assert values.heartbeat_armed_ms * 3 <= values.lease_armed_ms
    assert values.heartbeat_idle_ms * 3 <= values.lease_idle_ms
    warm, hot = values.ambient_c + values.heat_w * values.heat_k_per_w, values.heat_w * values.heat_blocked_k_per_w
    assert warm < values.limits["heat_warn_c"] < values.limits["heat_stop_c"] < values.ambient_c + hot
    assert math.isclose(values.wear_per_cycle * values.limits["cartridge_life_cycles"], 1)


def test_descriptor_is_what_the_wire_takes() -> None:
    values = Parameters({"leak_kpa_s": 20})
    for index in range(values.count):
        row = values.describe(index)
        assert (row.index, row.count) == (index, len(PARAMETERS))
        assert values.index_of(row.name) == index
        assert values.value_of(row.name) == row.value
        assert decode_payload(type(row), encode_payload(row)) == row
    assert values.describe(values.index_of("leak_kpa_s")).value == 20.0


def test_hash_names_the_values() -> None:
    plain, changed = Parameters(), Parameters({"needles": 4})
    assert plain.hash == Parameters().hash != changed.hash
    changed.set("needles", 3)
    assert changed.hash == plain.hash
    assert 0 <= plain.hash <= 0xFFFF_FFFF


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("needles", 9, "needles: 9 is not in 1 to 8 needles"),
        ("needles", 0, "needles: 0 is not in 1 to 8 needles"),
        ("needles", 2.5, "needles: 2.5 is not a whole number of needles"),
        ("needles", math.nan, "needles: nan is not in 1 to 8 needles"),
        ("leak_kpa_s", math.inf, "leak_kpa_s: inf is not in 0 to 200 kPa/s"),
        ("lease_armed_ms", 299, "lease_armed_ms: 299 is not in 300 to 2000 ms or 0 for off"),
        ("heat_warn_c", 43, "heat_warn_c: heat_warn_c 43 must be below heat_stop_c 43"),
        ("canister_block", 0.5, "canister_block: canister_warn 0.8 must be below canister_block 0.5"),
        ("heartbeat_armed_ms", 700, "heartbeat_armed_ms: heartbeat_armed_ms 700 must be below lease_armed_ms 600"),
    ],
)
def test_wrong_value_is_refused_and_changes_nothing(name: str, value: float, says: str) -> None:
    values = Parameters()
    before = values.hash
    with pytest.raises(ParameterError) as caught:
        values.set(name, value)
    assert str(caught.value) == says
    assert caught.value.name == name
    assert caught.value.value == value or math.isnan(value)
    assert caught.value.reason in says
    assert (values.hash, Parameters().hash) == (before, before)
    with pytest.raises(SimulatorError):
        Parameters({name: value})


def test_whole_number_may_come_as_a_float() -> None:
    values = Parameters({"needles": 5.0})
    values.set("clog_empties", 4.0)
    assert type(values.needles) is int and type(values.clog_empties) is int
    assert (values.needles, values.clog_empties) == (5, 4)


@pytest.mark.parametrize(("pace", "least"), [("armed", 300), ("idle", 1000)])
def test_zero_switches_the_lease_off_and_binds_nothing(pace: str, least: int) -> None:
    lease, heartbeat = f"lease_{pace}_ms", f"heartbeat_{pace}_ms"
    values = Parameters({lease: 0, heartbeat: 1000})
    assert values.value_of(lease) == 0
    with pytest.raises(ParameterError, match=f"must be below {lease} {least}"):
        values.set(lease, least)
    assert values.value_of(lease) == 0


@pytest.mark.parametrize("name", ["canister_block", "canister_warn"])
def test_of_two_values_out_of_order_the_one_that_was_given_is_blamed(name: str) -> None:
    with pytest.raises(ParameterError, match="canister_warn .* must be below canister_block") as caught:
        Parameters({name: 0.5 if name == "canister_block" else 0.99})
    assert caught.value.name == name


def test_0_switches_off_no_limit_but_a_lease() -> None:
    with pytest.raises(ParameterError, match="canister_warn 0 must be below canister_block 0"):
        Parameters({"canister_warn": 0, "canister_block": 0})


def test_order_may_be_broken_on_the_way_to_two_overrides() -> None:
    values = Parameters({"heat_warn_c": 50, "heat_stop_c": 60})
    assert (values.limits["heat_warn_c"], values.limits["heat_stop_c"]) == (50.0, 60.0)


@pytest.mark.parametrize(("low", "high"), ORDERED)
def test_pairs_are_in_order_from_the_start(low: str, high: str) -> None:
    assert Parameters().value_of(low) < Parameters().value_of(high)


def test_unknown_name_is_met_with_the_nearest() -> None:
    with pytest.raises(UnknownParameterError, match="needels: no such parameter; did you mean needles.$") as caught:
        Parameters({"needels": 3})
    assert (caught.value.name, caught.value.value, caught.value.nearest) == ("needels", None, "needles")
    with pytest.raises(UnknownParameterError, match="^zzzzzzzz: no such parameter$") as caught:
        Parameters().value_of("zzzzzzzz")
    assert caught.value.nearest == ""


def test_the_nearest_may_be_something_else() -> None:
    assert nearest("sed") == ""
    assert nearest("sed", ["seed", "nvm"]) == "seed"
    assert nearest("anesthesia_wait", ["seed"]) == "anesthesia_wait_s"


def test_generated_table_has_every_row() -> None:
    lines = parameters_table().splitlines()
    assert lines[0] == "# Parameters"
    assert len([line for line in lines if line.startswith("| ")]) == len(PARAMETERS) + 1
    assert "`lease_armed_ms` | 600 | ms | 300 to 2000, or 0: off | host |" in parameters_table()
    assert all(line.count("|") == 9 for line in lines if line.startswith("|"))
