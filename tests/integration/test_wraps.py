"""Each number that grows, begun just below its end, in a whole session: 16 bits and clocks wrap, all others never do.

What never wraps (events, cycles, sessions, boots) is refused in time, and a session that is open is still closed.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from devicectl.errors import CommandRefusedError
from firmware_sim import memory_file
from firmware_sim.errors import NvmFileError
from firmware_sim.memory.contents import MAX_NUMBER
from firmware_sim.memory.journal import JOURNAL_RESERVE
from firmware_sim.memory.nvm import Nvm
from firmware_sim.memory.session_steps import PowerOn
from firmware_sim.memory.steps import Put
from protocols.language import messages as M
from protocols.language.enums import CloseReason, Code
from protocols.language.units import MILLISECOND, Micros
from protocols.mqtt.topics import DeviceTopics
from tests.world import Lab, a_plan, assert_counted

CORES: Final = 30
WRAP_MS: Final = 2**32
WIRES: Final[dict[str, dict[str, Any]]] = {"serial": {}, "mqtt": {"topics": DeviceTopics("site", "device")}}
NEVER_WRAP: Final = ("event", "cycle", "session", "boot")


def a_memory(left: int, number: str) -> Nvm:
    """A memory with so many numbers of one kind left, and as good as new otherwise."""
    nvm = Nvm(epoch=5)
    if number == "event":
        nvm.journal.head = nvm.journal.tail = MAX_NUMBER - left
    else:
        nvm.keep(
            Put({"cycle": "last_cycle_no", "session": "session_no", "boot": "boot_count"}[number], MAX_NUMBER - left)
        )
    return nvm


# --- numbers that wrap -----------------------------------------------------------------------------------------------


class Wrap(NamedTuple):
    """One number: its reading, and what sets it a few below its wrap."""

    read: Callable[[Lab], int]
    near: Callable[[Lab], None]


def _set(owner: Callable[[Lab], Any], name: str, value: int) -> Wrap:
    return Wrap(lambda lab: int(getattr(owner(lab), name)), lambda lab: setattr(owner(lab), name, value))


def _boot_long_ago(lab: Lab) -> None:
    lab.device.board._clock_at_boot = Micros(lab.now - (WRAP_MS - 5_000) * MILLISECOND)


WRAPS: Final = {
    "seq of the host": _set(lambda lab: lab.engine.link.exchange._state, "seq", 0xFFF0),
    "seq of the device": _set(lambda lab: lab.world.port.exchange._state, "seq", 0xFFF0),
    "correlation id": _set(lambda lab: lab.engine.link.exchange, "_correlation_id", 0xFFF0),
    "uptime and deadline": Wrap(lambda lab: lab.device.board.uptime_ms(lab.now), _boot_long_ago),
}


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("name", WRAPS)
def test_a_session_in_which_a_number_wraps_is_counted(name: str, wire: str) -> None:
    wrap = WRAPS[name]
    lab = Lab(plan=a_plan(CORES), **WIRES[wire])
    wrap.near(lab)
    before = wrap.read(lab)
    lab.begin(1)
    finish = lab.finish()
    assert wrap.read(lab) < before, "it has wrapped"
    assert_counted(lab, finish)


def test_the_uptime_wraps_between_two_cycles() -> None:
    """The deadline of a PUNCH with it, the age of an anesthesia and the length of the session."""
    lab = Lab(plan=a_plan(CORES))
    _boot_long_ago(lab)
    finish = lab.begin().finish()
    uptimes = [cycle.uptime_ms for cycle in lab.cycles]
    assert max(uptimes) > WRAP_MS - 5_000 and min(uptimes) < 8_000
    undisturbed = Lab(plan=a_plan(CORES)).begin().finish()
    assert finish.session_seconds == undisturbed.session_seconds


@pytest.mark.parametrize("wire", WIRES)
def test_all_that_wraps_does_so_at_once_and_with_a_link_that_is_lost_each_cycle(wire: str) -> None:
    nvm = Nvm(epoch=5)
    nvm.keep(Put("link_count", 0xFFFC))
    lab = Lab(plan=a_plan(CORES), nvm=nvm, **WIRES[wire])
    for wrap in WRAPS.values():
        wrap.near(lab)
    lab.begin(1)
    links = []
    for _ in range(8):
        lab.world.cut()
        lab.world.mend()
        lab.cycle()
        links.append(lab.engine.link.exchange.link_id)
    assert_counted(lab, lab.finish())
    assert 0 not in links and max(links) > 0xFFF0 and links[-1] < 10, links
    assert len(set(links)) == len(links)


# --- numbers that never do -------------------------------------------------------------------------------------------


def _used(nvm: Nvm) -> tuple[int, int, int, int]:
    return nvm.head, nvm.last_cycle_no, nvm.session_no, nvm.boot_count


@pytest.mark.parametrize("number", NEVER_WRAP)
def test_a_session_with_just_enough_numbers_is_counted_and_the_next_is_refused(number: str) -> None:
    fresh = Lab(plan=a_plan(CORES))
    fresh.begin().finish()
    used = dict(zip(NEVER_WRAP, _used(fresh.device.nvm), strict=True))[number]
    nvm = a_memory(JOURNAL_RESERVE + used, number)
    first_cycle_no = nvm.last_cycle_no + 1
    lab = Lab(plan=a_plan(CORES), nvm=nvm).begin()
    assert_counted(lab, lab.finish(), first_cycle_no=first_cycle_no)
    spend(nvm, number)
    late = Lab(plan=a_plan(CORES), nvm=nvm)
    late.run(late.engine.connect())
    with pytest.raises(CommandRefusedError) as refused:
        late.ask(M.SessionOpen(target_cores=9, coverage_bp=600, depth_um=3_000, zones_cm2=(4,)))
    assert refused.value.code is Code.E_STORAGE
    assert "numbers are left in the memory, 64 are needed: begin with an empty one" in refused.value.sentence


def spend(nvm: Nvm, number: str) -> None:
    """Use up numbers until fewer are left than are kept back."""
    while nvm.numbers_left >= JOURNAL_RESERVE:
        if number in ("event", "boot"):
            nvm.keep(PowerOn(0))
        else:
            name = {"cycle": "last_cycle_no", "session": "session_no"}[number]
            nvm.keep(Put(name, getattr(nvm, name) + 1))


def _reboot(lab: Lab) -> None:
    for _ in range(3):
        lab.reboot_device()


@pytest.mark.parametrize(("number", "more", "act"), [("event", 14, None), ("cycle", 6, None), ("boot", 2, _reboot)])
def test_a_session_in_which_numbers_run_out_is_closed_and_counted(
    number: str, more: int, act: Callable[[Lab], None] | None
) -> None:
    nvm = a_memory(JOURNAL_RESERVE + more, number)
    first_cycle_no = nvm.last_cycle_no + 1
    lab = Lab(plan=a_plan(CORES), nvm=nvm).begin(2)
    if act is not None:
        act(lab)
    with pytest.raises(CommandRefusedError) as refused:
        lab.run(lab.all_cycles())
    assert refused.value.code is Code.E_STORAGE
    assert_counted(lab, lab.close(CloseReason.ABORTED), "aborted", first_cycle_no=first_cycle_no)


def test_a_memory_without_numbers_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "device.nvm"
    for number in NEVER_WRAP[1:]:
        nvm = memory_file.load(path, epoch=5)
        nvm.keep(
            Put({"cycle": "last_cycle_no", "session": "session_no", "boot": "boot_count"}[number], MAX_NUMBER - 31)
        )
        memory_file.close(nvm)
        with pytest.raises(NvmFileError, match="has used up its numbers; move it away to start with an empty memory"):
            memory_file.load(path)
        path.unlink()
