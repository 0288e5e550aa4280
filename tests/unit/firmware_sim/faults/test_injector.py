"""The injector: each fault begins at the very moment that its trigger names, once, and ends in time."""

import random

import pytest

from firmware_sim.faults.fault import declare
from firmware_sim.faults.injector import LOOK_EVERY_US, MAX_MET, Injector
from firmware_sim.faults.trigger import At, Moment
from protocols.language.enums import Kind
from protocols.language.messages import Count, Stop
from protocols.language.units import Micros
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import HostWire
from tests.unit.firmware_sim.faults.runs import Run, Shown
from tests.unit.protocols.serial.frames import encode_frame

COUNT = encode_frame(Kind.COMMAND, Count.ID, b"")
STOP = encode_frame(Kind.COMMAND, Stop.ID, b"")


def test_without_faults_there_is_nothing_to_do() -> None:
    run = Run()
    assert run.injector.next_deadline() is None
    run.injector.sent("host", COUNT, run.at(1))
    run.injector.wrote(run.at(1))
    run.injector.look(run.at(1))
    run.injector.advance(run.at(2))
    assert run.done == [] and run.injector.unfired == []


def test_a_fault_begins_at_its_time_and_ends_after_its_duration() -> None:
    run = Run(declare("brown_out", 'at("5 ms")', for_ms=20))
    assert run.injector.next_deadline() == 0
    run.injector.advance(run.at(0))
    assert run.injector.next_deadline() == run.at(5) and run.firings[0].began_at is None
    run.injector.advance(run.at(5))
    assert run.firings[0].under_way and run.injector.next_deadline() == run.at(25)
    run.injector.advance(run.at(24.9))
    assert run.firings[0].under_way
    run.injector.advance(run.at(25))
    assert run.done == ["5 fired brown_out", "5 brown_out begins", "25 brown_out ends", "25 ended brown_out"]
    assert run.firings[0].ended_at == run.at(25)
    assert run.injector.next_deadline() is None and not run.firings[0].under_way


def test_a_fault_without_an_end_is_under_way_to_the_end() -> None:
    run = Run(declare("pump_stalled"))
    run.injector.advance(run.at(0))
    assert run.injector.next_deadline() is None and run.firings[0].under_way
    run.injector.finish_all(run.at(99))
    assert run.done[-2:] == ["99 pump_stalled ends", "99 ended pump_stalled"]


def test_an_act_of_a_moment_is_over_at_once() -> None:
    run = Run(declare("reboot"), momentary=("reboot",))
    run.injector.advance(run.at(0))
    assert run.done == ["0 fired reboot", "0 reboot is done", "0 ended reboot"]


def test_a_fault_begins_at_the_very_piece_that_it_names() -> None:
    run = Run(declare("drop", 'piece("device", 2)'))
    for sender in ("device", "host", "host", "device"):
        assert run.done == []
        run.injector.sent(sender, b"", run.at(3))
    assert run.done == ["3 drop begins"], "it has dropped nothing yet, and so has not fired"
    assert [firing.fault.kind.name for firing in run.injector.unfired] == ["drop"]
    run.firings[0].struck(run.at(4))
    run.firings[0].struck(run.at(5))
    assert run.done[1:] == ["4 fired drop"] and run.injector.unfired == []


def test_a_fault_begins_at_the_frame_that_it_names_whole_or_in_pieces() -> None:
    run = Run(declare("drop", 'frame("COUNT", 2)'))
    run.injector.sent("host", COUNT + STOP, run.at(1))
    run.injector.sent("host", STOP + COUNT[:5], run.at(2))
    assert run.done == []
    run.injector.sent("device", COUNT[5:], run.at(3))
    assert run.done == [], "the other end's bytes are other frames"
    run.injector.sent("host", COUNT[5:], run.at(4))
    assert run.done == ["4 drop begins"]


def test_what_a_transport_that_is_gone_has_carried_of_a_frame_is_forgotten() -> None:
    run = Run(declare("drop", 'frame("COUNT", 1)'))
    run.injector.sent("host", COUNT[:5], run.at(1), "tcp:1")
    run.injector.sent("host", COUNT[5:], run.at(2), "tcp:2")
    run.injector.forget("tcp:1")
    run.injector.sent("host", COUNT[5:], run.at(3), "tcp:1")
    assert run.done == []
    run.injector.sent("host", COUNT, run.at(4), "tcp:1")
    assert run.done == ["4 drop begins"]


def test_a_message_that_is_not_known_is_none_of_those_that_are_counted() -> None:
    run = Run(declare("drop", 'frame("COUNT", 1)'))
    run.injector.sent("host", encode_frame(7, 0xFFFF, b""), run.at(1))
    assert run.done == []


def test_a_publication_counts_as_the_message_that_it_carries() -> None:
    run = Run(declare("duplicate", 'frame("STOP", 2)'))
    wire = HostWire(DeviceTopics("site", "device"), "host")
    for now in (1, 2):
        assert run.done == []
        run.injector.sent("host", wire.encode(Stop(), now, 1, now, 0), run.at(now))
    assert run.done == ["2 duplicate begins"]


def test_frames_are_read_only_while_a_fault_waits_for_one() -> None:
    run = Run(declare("drop", 'piece("host", 1)'))
    run.injector.sent("host", b"no frame", run.at(1))
    assert run.done == ["1 drop begins"]


def test_writes_and_commits_are_counted() -> None:
    run = Run(declare("torn_write", "write(2)"), declare("log_slow", "commit(1)"))
    run.injector.wrote(run.at(1))
    run.injector.committed(run.at(2))
    run.injector.wrote(run.at(3))
    assert run.done == ["2 log_slow begins", "3 torn_write begins"]


def test_what_the_device_shows_is_looked_at_when_it_may_have_changed() -> None:
    run = Run(declare("mute", 'cycle == 3 and phase == "suction"'))
    run.injector.advance(run.at(0))
    assert run.injector.next_deadline() is None, "neither changes by itself"
    run.shows.update(cycle=3, phase="punch")
    run.injector.look(run.at(1))
    run.shows["phase"] = "suction"
    run.injector.look(run.at(2))
    run.injector.look(run.at(3))
    assert run.done == ["2 mute begins"], "and it begins once"


def test_what_changes_by_itself_is_looked_at_again_and_again() -> None:
    run = Run(declare("mute", "vacuum_kpa > -45", for_ms=5))
    run.shows["vacuum_kpa"] = -60
    for look in range(3):
        assert run.injector.next_deadline() == look * LOOK_EVERY_US
        run.injector.advance(Micros(look * LOOK_EVERY_US))
    run.shows["vacuum_kpa"] = -44.9
    run.injector.advance(Micros(3 * LOOK_EVERY_US))
    assert run.done == ["30 mute begins"]
    assert run.injector.next_deadline() == run.at(35), "nobody waits for a look any more"


def test_the_first_that_is_due_is_the_deadline() -> None:
    run = Run(declare("mute", "vacuum_kpa > -45"), declare("brown_out", for_ms=3), declare("reboot", 'at("8 ms")'))
    run.injector.advance(run.at(0))
    assert run.injector.next_deadline() == run.at(3)
    run.injector.advance(run.at(3))
    assert run.injector.next_deadline() == run.at(8)
    run.injector.advance(run.at(8))
    assert run.injector.next_deadline() == run.at(10)


def test_a_trigger_that_holds_from_the_start_begins_there() -> None:
    run = Run(
        declare("mute", 'not frame("COUNT", 1)'), declare("drop", 'not at("1 s")'), declare("latency", "write(1)")
    )
    run.injector.advance(run.at(0))
    assert run.done == ["0 mute begins", "0 drop begins"]


def test_the_time_of_one_that_has_begun_by_another_way_passes() -> None:
    run = Run(declare("mute", 'at("5 ms") or write(1)'))
    run.injector.wrote(run.at(1))
    run.injector.advance(run.at(5))
    assert run.done == ["1 mute begins"]


def test_a_trigger_of_two_times_begins_at_the_later() -> None:
    run = Run(declare("mute", 'at("5 ms") and at("8 ms")'))
    for now in (0, 5, 8):
        run.injector.advance(run.at(now))
    assert run.done == ["8 mute begins"]


def test_several_begin_at_one_moment_in_their_order() -> None:
    run = Run(*(declare(name, "write(1)") for name in ("mute", "drop", "latency")))
    run.injector.wrote(run.at(1))
    assert run.done == ["1 mute begins", "1 drop begins", "1 latency begins"]


def test_one_that_has_nothing_left_to_do_ends_before_its_time() -> None:
    run = Run(declare("mute", for_ms=50))
    run.injector.advance(run.at(0))
    run.injector.finish(run.firings[0], run.at(2))
    run.injector.finish(run.firings[0], run.at(3))
    run.injector.advance(run.at(50))
    assert run.done == ["0 mute begins", "2 mute ends", "2 ended mute"]


def test_after_the_last_word_nothing_begins() -> None:
    run = Run(declare("mute", "write(1)"), declare("drop", 'at("5 ms")'), declare("brown_out", for_ms=9))
    run.injector.advance(run.at(0))
    run.injector.finish_all(run.at(1))
    assert run.injector.next_deadline() is None
    run.injector.wrote(run.at(6))
    run.injector.advance(run.at(9))
    assert run.done[2:] == ["1 brown_out ends", "1 ended brown_out"]


def test_each_fault_has_chance_of_its_own() -> None:
    faults = [declare("jitter"), declare("jitter"), declare("flip")]
    first, second, third = (firing.random.random() for firing in Run(*faults, seed=7).firings)
    assert first == random.Random("7:jitter:0").random() and third == random.Random("7:flip:2").random()
    assert len({first, second, third, Run(*faults, seed=8).firings[0].random.random()}) == 4


def test_a_kind_without_an_act_is_a_defect_of_the_caller() -> None:
    injector = Injector([declare("stale_command")], 7, Shown())
    with pytest.raises(KeyError, match="stale_command"):
        injector.advance(Micros(0))


def test_a_run_counts_what_there_was_whether_a_trigger_waits_or_not() -> None:
    run = Run(declare("reboot", "write(2)"), momentary=("reboot",))
    for _ in range(3):
        run.injector.wrote(run.at(1))
        run.injector.sent("host", STOP, run.at(1))
    run.injector.committed(run.at(1))
    assert run.injector.counts == {("write", ""): 3, ("piece", "host"): 3, ("commit", ""): 1}
    assert run.firings[0].before == {("write", ""): 2, ("piece", "host"): 1}


@pytest.mark.parametrize(
    ("when", "place"),
    [
        ("write(1)", Moment("write", "", 1)),
        ("commit(1)", Moment("commit", "", 1)),
        ('piece("host", 2)', Moment("piece", "host", 2)),
        ('frame("COUNT", 1)', Moment("piece", "host", 2)),
        ('at("3 ms")', At(Micros(3_000))),
    ],
)
def test_a_fault_knows_the_place_at_which_it_began(when: str, place: At | Moment) -> None:
    run = Run(declare("reboot", when), momentary=("reboot",))
    run.injector.sent("host", STOP, run.at(1))
    run.injector.sent("host", COUNT, run.at(1))
    run.injector.wrote(run.at(1))
    run.injector.committed(run.at(1))
    run.injector.advance(run.at(3))
    assert run.firings[0].began == place


def test_pieces_that_a_fault_has_met_are_kept_up_to_a_bound() -> None:
    run = Run(declare("drop", pieces=0))
    for number in range(1, MAX_MET + 3):
        run.firings[0].meet(Moment("piece", "host", number), run.at(1))
    assert run.firings[0].met[:2] == [Moment("piece", "host", 1), Moment("piece", "host", 2)]
    assert len(run.firings[0].met) == MAX_MET < run.firings[0].effects
