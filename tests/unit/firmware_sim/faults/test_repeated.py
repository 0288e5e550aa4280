"""Faults of a recorded device again: the pieces on its lines, and what is told of each fault."""

from typing import Any

from firmware_sim.device import Device
from firmware_sim.faults.fault import Fault, declare
from firmware_sim.faults.repeated import RepeatedFaults
from protocols.language.units import Micros

NOW = Micros(5_000_000)


def repeated(*faults: Fault) -> RepeatedFaults:
    return RepeatedFaults(Device(seed=7, now=NOW), NOW, faults, behind_broker=False, in_file=False)


def carried(kind: str, **values: Any) -> RepeatedFaults:
    """Such faults, of which the second piece of a host was to meet one."""
    faults = repeated(declare(kind, 'piece("host", 2)', **values))
    for data in (b"one", b"two"):
        faults.carry("host", "tcp", data, NOW)
    return faults


def test_a_piece_arrives_once_in_its_direction_and_on_its_port() -> None:
    faults = carried("drop")
    assert not faults.arrives("device", "tcp", b"one") and not faults.arrives("host", "pty", b"one")
    assert faults.arrives("host", "tcp", b"one")
    assert not faults.arrives("host", "tcp", b"one")
    assert not faults.arrives("host", "tcp", b"two")


def test_a_piece_that_was_doubled_arrives_twice() -> None:
    faults = carried("duplicate")
    assert [faults.arrives("host", "tcp", b"two") for _ in range(3)] == [True, True, False]


def test_what_became_of_a_fault_is_told_as_it_is_recorded() -> None:
    assert list(carried("drop").notes) == [
        b'{"event":"fired","fault":0,"kind":"drop"}',
        b'{"event":"ended","fault":0,"kind":"drop"}',
    ]


def test_a_cut_leaves_the_transports_to_the_recording() -> None:
    faults = repeated(declare("disconnect", for_ms=100))
    faults.injected.device.advance(NOW)
    faults.injected.device.advance(Micros(NOW + 100_000))
    assert len(faults.notes) == 2


def test_half_a_frame_of_a_port_that_is_gone_is_forgotten() -> None:
    faults = repeated(declare("drop", 'frame("ECHO", 1)'))
    faults.carry("host", "tcp", b"\0half", NOW)
    faults.forget("tcp")
    assert not faults.notes
