from collections.abc import Sequence

import pytest

from devicectl.campaign.bench import BEGAN, Bench, BenchClock
from devicectl.campaign.scenario import MQTT, SERIAL, Scenario
from devicectl.campaign.world import Killed
from devicectl.log.errors import LogError
from devicectl.session.engine import Entry
from devicectl.session.entries import Note
from devicectl.session.machine import State
from firmware_sim.faults.fault import Fault, declare
from firmware_sim.faults.injector import Firing
from protocols.language.units import SECOND, Micros

A_NOTE = Note("action", 0, "pause", "", None)


class AWitness:
    """Whoever sits at a bench: it keeps what it hears."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.stored: list[Entry] = []

    def changed(self, before: State, after: State, now: Micros) -> None:
        self.heard.append(after.value)

    def noted(self, note: Note) -> None:
        self.heard.append(note.name)

    def fault(self, event: str, firing: Firing, now: Micros) -> None:
        self.heard.append(f"{firing.fault.kind.name} {event}")

    def store(self, entries: Sequence[Entry]) -> None:
        self.stored += entries


def a_bench(witness: AWitness, *faults: Fault, wire: str = SERIAL) -> Bench:
    return Bench(
        Scenario(seed=5, faults=faults, wire=wire, cartridge_cycles=900, canister_ml=12.5),
        observer=witness,
        noted=witness.fault,
        write=witness.store,
        interrupt=lambda: witness.heard.append("interrupt"),
    )


def connect(bench: Bench) -> None:
    link = bench.engine.link
    task = link.start(bench.engine.connect(), bench.world.now)
    bench.world.refresh()
    while not task.done:
        bench.world.step_alone()
    assert task.error is None


@pytest.mark.parametrize("wire", [SERIAL, MQTT])
def test_a_host_reaches_the_device_over_each_kind_of_wire(wire: str) -> None:
    witness = AWitness()
    connect(a_bench(witness, wire=wire))
    assert witness.heard == ["connecting", "idle"]


def test_the_device_has_the_consumables_of_the_scenario() -> None:
    plant = a_bench(AWitness()).device.plant
    assert (plant.cartridge.cycles, plant.canister.volume_ul) == (900, 12_500)


def test_each_host_has_an_id_and_the_next_one_another_but_the_same_in_each_run() -> None:
    hosts = []
    for bench in (a_bench(AWitness()), a_bench(AWitness())):
        first = bench.engine
        bench.world.end_host(heard=True)
        bench.begin_host()
        hosts.append((first.link._host_id, bench.engine.link._host_id))
    assert hosts[0] == hosts[1]
    assert hosts[0][0] != hosts[0][1]


def test_what_a_host_logs_is_stored_but_for_what_its_faults_let_it() -> None:
    witness = AWitness()
    bench = a_bench(witness, declare("log_full", "commit(2)"), declare("crash_after_commit", "commit(3)"))
    bench.world.write([A_NOTE])
    with pytest.raises(LogError, match="the disk is full"):
        bench.world.write([A_NOTE])
    assert witness.stored == [A_NOTE]
    with pytest.raises(Killed):
        bench.world.write([A_NOTE])
    assert witness.stored == [A_NOTE, A_NOTE]
    assert witness.heard == ["log_full fired", "log_full ended", "crash_after_commit fired", "crash_after_commit ended"]


def test_interrupts_and_other_hosts_come_to_a_bench() -> None:
    witness = AWitness()
    bench = a_bench(
        witness, declare("interrupt", 'piece("host", 1)'), declare("other_host", 'piece("host", 1)', who="other_major")
    )
    connect(bench)
    assert "interrupt" in witness.heard
    (visit,) = (one.data for one in bench.recording if isinstance(one.data, dict) and one.data["event"] == "other_host")
    assert visit == {"event": "other_host", "asked": "Hello", "answer": "Nak", "code": "E_VERSION"}


def test_the_clock_of_a_run_goes_with_its_virtual_time() -> None:
    wall = BenchClock()
    assert wall() == BEGAN
    wall.now = lambda: Micros(90 * SECOND)
    assert (wall() - BEGAN).total_seconds() == 90
