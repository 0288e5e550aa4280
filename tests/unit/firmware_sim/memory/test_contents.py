"""The contents of the memory: what is empty at first, and what can be read from them."""

import pytest

from firmware_sim.errors import NvmError
from firmware_sim.memory.contents import NUMBERS, Contents
from firmware_sim.memory.journal import JOURNAL_SLOTS
from firmware_sim.memory.session import Totals
from firmware_sim.memory.session_steps import BeginCycle, OpenSession, PowerOn
from protocols.language.enums import Ending, Phase
from protocols.language.records import encode_record
from tests.unit.firmware_sim.memories import PLAN, a_cycle, apply


def test_a_new_memory_is_empty() -> None:
    new = Contents(epoch=9)
    numbers = {name: getattr(new, name) for name in NUMBERS}
    assert numbers.pop("epoch") == 9
    assert numbers.pop("seed") is None
    assert not any(numbers.values()) and numbers["stroke_latch"] is False
    assert (new.register, new.session, new.last_close, new.last_outcome) == (None, None, None, None)
    assert (new.aim, new.cartridges, new.latched) == ((0, 0, 0), {}, set())
    assert (new.head, new.tail, new.free) == (1, 1, JOURNAL_SLOTS)
    assert new.totals == Totals()


def test_two_memories_share_nothing() -> None:
    first, second = Contents(epoch=1), Contents(epoch=1)
    first.cartridges[1] = 1
    first.latched.add(1)
    apply(first, PowerOn(0))
    assert (second.cartridges, second.latched, second.head) == ({}, set(), 1)


def test_head_tail_and_room_are_the_journals() -> None:
    contents = Contents(epoch=1)
    apply(contents, PowerOn(0), PowerOn(0))
    contents.journal.acknowledge(2)
    assert (contents.head, contents.tail, contents.free) == (3, 2, JOURNAL_SLOTS - 1)
    assert contents.read(1, 9) == contents.journal.read(1, 9)


def test_the_totals_are_those_of_the_open_session() -> None:
    contents = Contents(epoch=1)
    apply(contents, OpenSession(PLAN.to_json(), 0), *a_cycle(1))
    assert contents.totals == Totals(session_no=1, cycles=1, punctures=3, cores_counted=3)


def test_the_last_outcome_is_the_record_of_the_cycle_that_ended_last() -> None:
    contents = Contents(epoch=1)
    apply(contents, OpenSession(PLAN.to_json(), 0), *a_cycle(1), *a_cycle(2), PowerOn(0))
    last = contents.last_outcome
    assert last is not None and (last.cycle_no, last.ending) == (2, Ending.COMPLETED)
    assert contents.read(last.event_no, 1)[1] == [encode_record(last)]


def test_what_needs_a_session_or_a_cycle_says_that_there_is_none() -> None:
    contents = Contents(epoch=1)
    with pytest.raises(NvmError, match="^no session is open$"):
        contents.require_session()
    with pytest.raises(NvmError, match="^no cycle is open$"):
        contents.require_cycle()
    contents.forbid_open_cycle()


def test_what_needs_a_session_or_a_cycle_is_given_it() -> None:
    contents = Contents(epoch=1)
    apply(contents, OpenSession(PLAN.to_json(), 0), BeginCycle(1, 0, 0, 3_000))
    assert contents.require_session() is contents.session
    assert contents.require_cycle() == (1, Phase.PUNCH)
    with pytest.raises(NvmError, match="^cycle 1 is open$"):
        contents.forbid_open_cycle()
