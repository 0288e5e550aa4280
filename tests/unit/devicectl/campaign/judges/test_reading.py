from devicectl.campaign.judges.reading import Reading, changes, seen
from devicectl.campaign.recording import DEVICE_HEARD
from devicectl.campaign.scenario import MQTT
from firmware_sim.faults.fault import declare
from protocols.language import messages as M
from protocols.language.enums import Code
from protocols.mqtt.wire import Publication
from tests.unit.devicectl.campaign.judges.spoiled import clean, event, said
from tests.unit.devicectl.campaign.trials import right


def test_packets_are_sorted_by_where_they_were_and_events_by_name() -> None:
    reading = Reading([event("boot", 3), said("host>", M.Arm()), said(">device", M.Arm()), said("device>", M.Stop())])
    assert [one.frame.name for one in reading.host_sent + reading.device_heard] == ["Arm", "Arm"]
    assert reading.device_sent[0].place == 3
    assert [(noted.at_us, noted.place) for noted in reading.of("boot")] == [(3, 0)]


def test_a_loss_of_power_parts_the_changes_of_state() -> None:
    names = ("SESSION_OPEN", "OFF", "SAFE", "SESSION_OPEN", "IDLE")
    reading = Reading([event("state", state=name, armed=False) for name in names])
    assert changes(reading)[1:3] == [("SESSION_OPEN", "OFF"), ("OFF", "SAFE")]
    counted = seen(reading)
    assert counted["device transition", "SELF_TEST > SAFE"] == 1
    assert counted["device transition", "SESSION_OPEN > CLOSING"] == 1
    assert not counted["device transition", "SESSION_OPEN > OFF"]


def test_refusals_interlocks_naks_and_alarms_are_counted() -> None:
    refused = M.Refused(code=Code.E_INTERLOCK, interlock=4, expected=0, actual=0, sentence="")
    nak = M.Nak(code=Code.E_LINK, seq=1, expected=0, actual=0, sentence="")
    counted = seen(Reading([said("device>", refused), said("device>", nak)]))
    assert counted == {("refusal", "E_INTERLOCK"): 1, ("interlock", "4"): 1, ("nak", "E_LINK"): 1}


def test_a_clean_session_shows_its_course_and_no_recovery() -> None:
    counted = seen(Reading(clean()[0]))
    assert counted["device transition", "ARMED > PUNCHING"] == 8
    assert not [what for what, _ in counted if what in ("recovery", "refusal", "nak")]


def test_a_restart_shows_its_recoveries() -> None:
    trial = right(declare("reboot", 'cycle == 2 and phase == "suction"'))
    met = trial.verdict.seen
    assert met["recovery", "started again"] == met["recovery", "linked again"] == 1
    assert met["alarm", "MC-1401 LATCHED"] == 1


def test_a_retained_command_is_no_frame_of_a_host_that_lives() -> None:
    trial = right(declare("stale_command", 'cycle == 2 and phase == "suction"'), wire=MQTT)
    retained = {
        place
        for place, (_, where, data) in enumerate(trial.recording)
        if where == DEVICE_HEARD and isinstance(data, Publication) and data.retain
    }
    assert retained
    assert not retained & {said.place for said in Reading(trial.recording).device_heard}
