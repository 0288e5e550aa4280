"""Faults over the link: each command is checked as a scenario is, and what it did can be asked for."""

from typing import Any

import pytest

from firmware_sim.device import ABOUT_FAULTS, Device
from firmware_sim.faults import inject
from firmware_sim.faults.catalogue import CATALOGUE
from firmware_sim.faults.commands import COMMANDS, MAX_INJECTED
from firmware_sim.faults.fault import declare
from firmware_sim.faults.injected import InjectedFaults
from protocols.language import messages as M
from protocols.language.enums import Code
from protocols.language.messages import Refused
from protocols.language.units import MILLISECOND, Micros

NOW = Micros(70_000_000)
VALUES = {f"value_{number}": 0.0 for number in range(5)}


def injection(fault: str, when: str = "", given: int = 0, **values: float) -> M.FaultInject:
    return M.FaultInject(fault=fault, when=when, given=given, **{**VALUES, **values})


@pytest.fixture
def faults() -> InjectedFaults:
    return inject(Device(seed=7, now=NOW), NOW)


def refused(answer: Any, code: Code, sentence: str) -> None:
    assert isinstance(answer, Refused) and answer.code is code
    assert sentence in answer.sentence


def test_a_fault_has_a_number_by_which_it_is_asked_for(faults: InjectedFaults) -> None:
    assert faults.answer(injection("clog"), NOW) == M.FaultInjectDone(fault_id=1)
    assert faults.answer(injection("pump_stalled", 'at("1 s")'), NOW) == M.FaultInjectDone(fault_id=2)
    shape = {"began": False, "ended": False}
    waiting = M.FaultGetDone(fault_id=2, effects=0, fault="pump_stalled", **shape)
    assert faults.answer(M.FaultGet(fault_id=2), NOW) == waiting
    faults.device.advance(NOW)
    clog = M.FaultGetDone(fault_id=1, effects=1, began=True, ended=True, fault="clog")
    assert faults.answer(M.FaultGet(fault_id=1), NOW) == clog


def test_quantities_are_in_the_catalogue_s_order_and_the_others_are_as_usual(faults: InjectedFaults) -> None:
    faults.injector.acts["flip"] = lambda firing, now: None
    faults.answer(injection("flip", "cycle == 3", 0b10011, value_0=3.0, value_1=2.0, value_4=250.0), NOW)
    assert faults.injector.firings[0].fault == declare("flip", "cycle == 3", bits=3, direction="device", for_ms=250)


def test_no_kind_has_more_quantities_than_the_message_has_values() -> None:
    assert max(len(kind.quantities) for kind in CATALOGUE.values()) == len(VALUES)


WRONG: dict[str, tuple[M.FaultInject, Code, str]] = {
    "kind": (injection("dorp"), Code.E_ARGUMENT, "did you mean drop?"),
    "moment": (injection("clog", "commit(2)"), Code.E_UNSUPPORTED, "commit never happens here: a log is the host's"),
    "trigger": (injection("clog", "cycle = 3"), Code.E_ARGUMENT, "when, column 7: "),
    "value": (injection("clog", "", 1, value_0=16.0), Code.E_ARGUMENT, "needle: must be"),
    "word": (injection("half_open", "", 1, value_0=2.0), Code.E_ARGUMENT, "the number of one of host, device"),
    "no such value": (injection("clog", "", 2), Code.E_ARGUMENT, "a clog has 1 quantities"),
    "nobody does it": (injection("drop"), Code.E_UNSUPPORTED, "a drop acts on the wire"),
}


@pytest.mark.parametrize(("command", "code", "sentence"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_is_refused(faults: InjectedFaults, command: M.FaultInject, code: Code, sentence: str) -> None:
    refused(faults.answer(command, NOW), code, sentence)
    assert not faults.injector.firings


def test_what_is_cleared_ends_or_never_begins(faults: InjectedFaults) -> None:
    for when in ("", 'at("1 s")', 'at("2 s")'):
        faults.answer(injection("pump_stalled", when), NOW)
    faults.device.advance(NOW)
    assert faults.device.plant.inputs.pump_stalled
    assert faults.answer(M.FaultClear(fault_id=2), NOW) == M.FaultClearDone(cleared=1, unfired=1)
    assert faults.answer(M.FaultClear(fault_id=0), NOW) == M.FaultClearDone(cleared=2, unfired=1)
    assert faults.answer(M.FaultClear(fault_id=0), NOW) == M.FaultClearDone(cleared=0, unfired=0)
    faults.device.advance(Micros(NOW + 5_000 * MILLISECOND))
    assert not faults.device.plant.inputs.pump_stalled


@pytest.mark.parametrize("command", [M.FaultGet(fault_id=0), M.FaultGet(fault_id=1), M.FaultClear(fault_id=1)])
def test_a_fault_that_was_never_injected_is_none(faults: InjectedFaults, command: Any) -> None:
    refused(faults.answer(command, NOW), Code.E_ARGUMENT, "; 0 were injected")


def test_the_power_goes_once_the_command_is_answered(faults: InjectedFaults) -> None:
    assert faults.answer(M.PowerCut(for_ms=500), NOW) == M.PowerCutDone(for_ms=500)
    assert faults.device.powered
    faults.device.advance(NOW)
    assert not faults.device.powered
    faults.device.advance(Micros(NOW + 500 * MILLISECOND))
    assert faults.device.powered


def test_no_run_keeps_more_faults_than_its_limit(faults: InjectedFaults) -> None:
    for _ in range(MAX_INJECTED):
        faults.answer(injection("clog", "cycle == 1"), NOW)
    refused(faults.answer(injection("clog"), NOW), Code.E_BUSY, f"{MAX_INJECTED} faults were injected")
    refused(faults.answer(M.PowerCut(for_ms=1), NOW), Code.E_BUSY, f"{MAX_INJECTED} faults were injected")


def test_the_device_hands_over_each_command_that_is_carried_out() -> None:
    assert set(COMMANDS) == set(ABOUT_FAULTS)
