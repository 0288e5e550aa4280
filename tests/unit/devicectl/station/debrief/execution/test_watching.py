"""A lesson under observation: what is seen on the way, and that to look changes nothing."""

from devicectl.station.debrief.execution.collecting import watch_record
from devicectl.station.debrief.execution.watching import SAMPLE_US
from devicectl.station.room import Room
from protocols.language.units import SECOND, Micros
from tests.unit.devicectl.station.debrief.execution.lessons import (
    SEED,
    acts,
    began,
    late_stop,
    lesson,
    record,
    watched,
)

FROZEN = """
plan: {target_cores: 200, zones: [{name: cheek, area_cm2: 6}]}
faults:
  - {fault: pressure_frozen, when: 'state == "armed"', kpa: -55}
lesson: {title: frozen, begin: {state: armed, cores: 9}}
"""


def test_to_look_changes_nothing() -> None:
    room = Room.execute(lesson(), SEED, late_stop(), record((), 15.0).until)
    assert watched().room.bench.recording == room.bench.recording
    assert watched().room.evidence == room.evidence


def test_a_look_every_while_from_the_beginning_to_the_end() -> None:
    samples = watched().samples
    assert [sample.at_us for sample in samples] == [*range(0, 15 * SECOND + 1, SAMPLE_US)]
    truth = watched().room.bench.device.plant.truth
    assert (samples[-1].cores_evacuated, samples[-1].punctures) == (truth.cores_evacuated, truth.punctures)
    assert samples[0].cores_counted >= 9 and all(sample.shown_kpa is not None for sample in samples)


def test_a_sensor_that_reads_well_is_a_belief_with_what_was_so() -> None:
    leak = {"fault": "leak", "kpa_per_s": 60.0}
    done = acts((2.0, "instructor", "inject", {"fault": leak}), text=FROZEN)
    found = watch_record(record(done, 12.0, FROZEN)).beliefs
    belief = next(one for one in found if one.quantity == "suction")
    assert belief.believed == "55.0 kPa" and float(belief.so.split()[0]) < 20
    assert 2 * SECOND < belief.from_us < 4 * SECOND and belief.to_us == 12 * SECOND


def test_what_is_shown_as_it_is_is_no_belief() -> None:
    done = acts((1.0, "trainee", "stop", {}), (3.0, "trainee", "reset", {}))
    assert not watch_record(record(done, 6.0)).beliefs


def test_an_act_that_cannot_be_done_is_named() -> None:
    done = acts((1.0, "trainee", "close", {}), (3.0, "trainee", "arm", {}), (4.0, "instructor", "note", {"text": "a"}))
    assert [act.name for act in watch_record(record(done, 6.0)).impossible] == ["arm"]


def test_a_lesson_in_which_nothing_was_done_ends_as_it_begins() -> None:
    found = watch_record(record((), 0.0)._replace(until=Micros(began() - 1)))
    assert found.lasts_us == 0 and len(found.samples) == 1
