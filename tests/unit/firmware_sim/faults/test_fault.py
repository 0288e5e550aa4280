"""A declared fault: each value is checked, and what it is as data makes the same fault again."""

from typing import Any, Final

import pytest

from firmware_sim.errors import SimulatorError
from firmware_sim.faults.catalogue import CATALOGUE
from firmware_sim.faults.fault import Fault, FaultError, declare, fault_of, missing_needle
from firmware_sim.faults.trigger import TriggerError, parse_trigger

WRONG: Final[dict[str, tuple[dict[str, Any], str, str]]] = {
    "no such kind": ({"fault": "tsunami"}, "fault", "there is no fault 'tsunami'"),
    "a slip of the kind": ({"fault": "mut"}, "fault", "there is no fault 'mut'; did you mean mute?"),
    "no kind at all": ({}, "fault", "there is no fault ''"),
    "a kind that is a list": ({"fault": ["mute"]}, "fault", "there is no fault ['mute']"),
    "no such quantity": ({"fault": "mute", "pieces": 3}, "pieces", "a mute has direction, for_ms"),
    "a quantity of a kind without": ({"fault": "reboot", "for_ms": 3}, "for_ms", "a reboot has nothing but when"),
    "a quantity called name": ({"fault": "reboot", "name": 3}, "name", "a reboot has nothing but when"),
    "beyond the range": ({"fault": "drop", "share": 1.5}, "share", "must be a number from 0 to 1, not 1.5"),
    "below the range": ({"fault": "bandwidth", "bytes_per_s": 0}, "bytes_per_s", "from 1 to 10000000 B/s, not 0"),
    "a text for a number": ({"fault": "drop", "share": "all"}, "share", "must be a number from 0 to 1, not 'all'"),
    "True for a number": ({"fault": "drop", "share": True}, "share", "must be a number from 0 to 1, not True"),
    "no number": ({"fault": "drop", "share": float("nan")}, "share", "must be a number from 0 to 1, not nan"),
    "half a piece": ({"fault": "drop", "pieces": 1.5}, "pieces", "must be a whole number from 0 to 1000000, not 1.5"),
    "no such word": ({"fault": "mute", "direction": "up"}, "direction", "one of both, host, device, not 'up'"),
    "a number for a word": ({"fault": "mute", "direction": 1}, "direction", "one of both, host, device, not 1"),
}


@pytest.mark.parametrize(("data", "key", "sentence"), WRONG.values(), ids=WRONG)
def test_a_fault_that_cannot_be_declared_says_what_would_be_right(
    data: dict[str, Any], key: str, sentence: str
) -> None:
    with pytest.raises(FaultError) as caught:
        fault_of(data)
    assert caught.value.key == key and sentence in caught.value.reason
    assert str(caught.value) == f"{key}: {caught.value.reason}" and isinstance(caught.value, SimulatorError)


def test_an_error_has_the_nearest_kind_for_itself() -> None:
    with pytest.raises(FaultError) as caught:
        declare("mut")
    assert caught.value.nearest == "mute"


def test_an_unknown_key_is_told_from_a_wrong_value() -> None:
    with pytest.raises(FaultError, match="a drop has direction, pieces, share, for_ms; did you mean pieces") as caught:
        declare("drop", piece=3)
    assert caught.value.of_key and caught.value.nearest == "pieces"
    with pytest.raises(FaultError) as caught:
        declare("drop", pieces="3")
    assert not caught.value.of_key


def test_a_trigger_that_cannot_be_read_is_no_fault() -> None:
    with pytest.raises(TriggerError, match="when, column 7"):
        declare("mute", "cycle 3")


def test_quantities_that_are_not_given_are_as_usual() -> None:
    fault = declare("brown_out")
    assert (fault.when, fault.values) == (parse_trigger('at("0 s")'), {"for_ms": 500})
    assert fault.for_us == 500_000 and declare("reboot").for_us == 0
    assert declare("mute", for_ms=0.0001).for_us == 1 and declare("mute", for_ms=0).for_us == 0


def test_values_are_had_by_their_type() -> None:
    fault = declare("drop", direction="host", pieces=2.0, share=0.5)
    assert (fault.word("direction"), fault.number("share")) == ("host", 0.5)
    assert type(fault.number("pieces")) is int, "a count is whole, however it was written"


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_kind_can_be_declared_as_usual_and_read_back(name: str) -> None:
    fault = declare(name, "cycle == 2")
    assert fault.as_json() == {"fault": name, "when": "cycle == 2"}
    assert fault_of(fault.as_json()) == fault


def test_what_is_unusual_is_kept_in_data() -> None:
    data = {"fault": "latency", "when": "cycle == 2", "added_ms": 7, "direction": "device"}
    fault = fault_of({**data, "for_ms": 0})
    assert isinstance(fault, Fault) and fault.as_json() == data


def test_data_is_left_as_it_was() -> None:
    data = {"fault": "reboot", "when": "cycle == 2"}
    fault_of(data)
    assert data == {"fault": "reboot", "when": "cycle == 2"}


@pytest.mark.parametrize(
    ("fault", "needles", "reason"),
    [
        (declare("clog", needle=3), 3, "must be from 0 to 2: this device has 3 needles"),
        (declare("clog", needle=1), 1, "must be 0: this device has 1 needle"),
        (declare("clog", needle=3), 4, ""),
        (declare("reboot"), 1, ""),
    ],
)
def test_a_needle_has_to_be_there(fault: Fault, needles: int, reason: str) -> None:
    assert missing_needle(fault, needles) == reason
