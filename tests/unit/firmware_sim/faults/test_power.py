"""Causes that keep a device off: it goes off once, loses memory only with its power, and boots after the last one."""

import pytest

from firmware_sim.faults.power import Power
from protocols.language.units import Micros


class Mains:
    """A device's power, and what became of it: a word for each thing that was done, with its time."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.power = Power(
            off=lambda now: self.done.append(f"off {now}"),
            lose=lambda: self.done.append("lose"),
            boot=lambda now: self.done.append(f"boot {now}"),
        )


def test_power_that_is_cut_takes_memory_with_it_and_comes_back() -> None:
    mains = Mains()
    mains.power.cut("brown-out", Micros(3))
    assert mains.done == ["off 3", "lose"]
    mains.power.give("brown-out", Micros(5))
    assert mains.done == ["off 3", "lose", "boot 5"]


def test_a_process_that_ends_loses_no_memory() -> None:
    mains = Mains()
    mains.power.end("process", Micros(3))
    mains.power.give("process", Micros(5))
    assert mains.done == ["off 3", "boot 5"]


@pytest.mark.parametrize("order", [("first", "second"), ("second", "first")])
def test_of_two_cuts_that_overlap_the_last_one_to_end_boots(order: tuple[str, str]) -> None:
    mains = Mains()
    mains.power.cut("first", Micros(3))
    mains.power.cut("second", Micros(4))
    mains.power.give(order[0], Micros(5))
    mains.power.give(order[1], Micros(6))
    assert mains.done == ["off 3", "lose", "boot 6"]


@pytest.mark.parametrize("order", [("process", "brown-out"), ("brown-out", "process")])
def test_power_cut_while_the_process_is_away_loses_memory_and_boots_once(order: tuple[str, str]) -> None:
    mains = Mains()
    mains.power.end("process", Micros(3))
    mains.power.cut("brown-out", Micros(4))
    mains.power.give(order[0], Micros(5))
    assert mains.done == ["off 3", "lose"]
    mains.power.give(order[1], Micros(6))
    assert mains.done == ["off 3", "lose", "boot 6"]


def test_memory_is_lost_once_between_two_boots() -> None:
    mains = Mains()
    mains.power.end("process", Micros(3))
    for _ in range(2):
        mains.power.cut("brown-out", Micros(4))
        mains.power.give("brown-out", Micros(5))
    mains.power.give("process", Micros(6))
    assert mains.done == ["off 3", "lose", "boot 6"]
    mains.power.cut("brown-out", Micros(7))
    assert mains.done[3:] == ["off 7", "lose"]


def test_a_cycle_cuts_power_and_gives_it_back_at_once() -> None:
    mains = Mains()
    mains.power.cycle(Micros(3))
    assert mains.done == ["off 3", "lose", "boot 3"]


def test_a_cycle_of_a_device_that_is_off_boots_nothing() -> None:
    mains = Mains()
    mains.power.cut("brown-out", Micros(3))
    mains.power.cycle(Micros(4))
    assert mains.done == ["off 3", "lose"]


def test_a_restart_keeps_the_memory_as_it_is() -> None:
    mains = Mains()
    mains.power.restart(Micros(3))
    assert mains.done == ["off 3", "boot 3"]


def test_a_boot_that_fails_leaves_the_device_off_until_it_is_given_again() -> None:
    done: list[str] = []

    def boot(now: Micros) -> None:
        done.append(f"boot {now}")
        if now == 4:
            power.end("process", now)

    power = Power(off=lambda now: done.append(f"off {now}"), lose=lambda: done.append("lose"), boot=boot)
    power.cut("brown-out", Micros(3))
    power.give("brown-out", Micros(4))
    power.cycle(Micros(5))
    assert done == ["off 3", "lose", "boot 4", "off 4", "lose"]
    power.give("process", Micros(6))
    assert done[5:] == ["boot 6"]
