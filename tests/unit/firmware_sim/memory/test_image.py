"""The memory as data: its image, its steps applied again, and what cannot be either."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from firmware_sim.errors import NvmError
from firmware_sim.memory.image import replay, restore, snapshot
from firmware_sim.memory.nvm import Nvm
from firmware_sim.memory.session_steps import BeginCycle, CloseSession, OpenSession, PowerOn
from firmware_sim.memory.steps import BindCartridge, ClearAlarm, CountBirth, LatchAlarm, Put
from protocols.language.enums import CloseReason, Code
from protocols.language.records import Refusal
from tests.unit.firmware_sim.memories import PLAN, Store, a_cycle


def reborn(nvm: Nvm) -> Nvm:
    """The same memory by way of its image as JSON text."""
    return restore(json.loads(json.dumps(snapshot(nvm))))


def every_step(nvm: Nvm) -> Iterator[str]:
    """Every step there is; yields on the way."""
    nvm.keep(PowerOn(1))
    yield "boot"
    nvm.next_link_id()
    nvm.keep(CountBirth())
    nvm.keep_seed(7)
    nvm.keep(OpenSession(PLAN.to_json(), 2))
    yield "open"
    nvm.keep(BindCartridge(55, 1))
    for step in a_cycle(1):
        nvm.keep(step)
        yield "a cycle"
    nvm.keep(Put("canister_ul", 4.5))
    nvm.keep(Put("flagged", 0b100))
    nvm.keep(LatchAlarm(1401))
    nvm.keep(LatchAlarm(1501))
    nvm.keep(ClearAlarm(1401))
    nvm.append(Refusal(event_no=nvm.head, uptime_ms=9, code=Code.E_STATE, interlock=0, message_id=0x0307, cycle_no=9))
    nvm.acknowledge(3)
    nvm.keep(BeginCycle(2, 0, 1, 3_000))
    nvm.keep(Put("stroke_latch", None))
    nvm.keep(PowerOn(3))
    yield "a cycle that the boot ended"
    nvm.keep(CloseSession(CloseReason.COMPLETED, 4))
    yield "closed"


def test_image_and_steps_give_the_same_memory() -> None:
    store = Store()
    nvm = Nvm(store, epoch=7)
    for _ in every_step(nvm):
        assert snapshot(reborn(nvm)) == snapshot(nvm)
        assert snapshot(replay(store.kept)) == snapshot(nvm)
    again = replay(store.kept)
    assert (again.last_close, again.last_outcome, again.totals) == (nvm.last_close, nvm.last_outcome, nvm.totals)
    assert again.store is None


def test_an_image_has_every_attribute_that_is_kept() -> None:
    nvm = Nvm(epoch=7)
    *_, _ = every_step(nvm)
    copy = reborn(nvm)
    for name in ("register", "aim", "session", "last_close", "last_cycle", "cartridges", "latched", "seed", "flagged"):
        assert getattr(copy, name) == getattr(nvm, name)
    assert copy.read(1, 255) == nvm.read(1, 255)


def test_replay_goes_on_from_an_image() -> None:
    store = Store()
    nvm = Nvm(store, epoch=7)
    steps = every_step(nvm)
    next(steps), next(steps)
    image, done = snapshot(nvm), len(store.kept)
    list(steps)
    assert snapshot(replay([("snapshot", image), *store.kept[done:]])) == snapshot(nvm)


def test_a_number_that_an_image_lacks_is_as_in_a_new_memory() -> None:
    """An older version wrote the image, which had no such number."""
    image = snapshot(Nvm(epoch=7))
    del image["birth_no"]
    assert restore(image).birth_no == 0


@pytest.mark.parametrize(
    ("key", "name", "value"),
    [
        ("keep_seed", "seed", 9),
        ("set_latch", "stroke_latch", True),
        ("set_canister", "canister_ul", 4.5),
        ("set_flagged", "flagged", 2),
    ],
)
def test_a_step_of_a_file_of_version_3_puts_its_number(key: str, name: str, value: float) -> None:
    assert getattr(replay([("epoch", [1]), (key, [value])]), name) == value


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ([], "there is no first step"),
        ([("boot", [0])], "step 0 .boot. cannot be repeated: it is neither an epoch nor a snapshot"),
        (
            [("epoch", [1]), ("dance", [])],
            "step 1 .dance. cannot be repeated: this version does not know it: a newer one wrote it",
        ),
        ([("epoch", [1]), ("put", ["mood", 2])], "step 1 .put. cannot be repeated: the memory has no number 'mood'"),
        ([("epoch", [1]), ("put", ["journal", 2])], "the memory has no number 'journal'"),
        ([("snapshot", {"epoch": 1, "mood": 2})], "it has mood, which this version does not know: a newer one"),
        ([("epoch", [1]), ("boot", [])], "step 1 .boot. cannot be repeated"),
        ([("epoch", [1]), ("set_phase", [2])], "no cycle is open"),
        ([("epoch", [1]), ("set_phase", [999])], "step 1 .set_phase. cannot be repeated"),
        ([("snapshot", {"epoch": 1})], "step 0 .snapshot. cannot be repeated"),
        ([("epoch", [1]), ("append", ["zz"])], "step 1 .append. cannot be repeated"),
        ([("epoch", [1]), ("epoch", [2])], "step 1 .epoch. cannot be repeated"),
    ],
)
def test_steps_that_make_no_sense_are_an_error(steps: list[tuple[str, Any]], says: str) -> None:
    with pytest.raises(NvmError, match=says):
        replay(steps)
