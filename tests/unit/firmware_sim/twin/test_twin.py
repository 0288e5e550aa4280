"""The twin as a whole: its verdict, what a person reads of it, and what a program does."""

import json

from firmware_sim.twin.twin import DIVERGES, SAME, TIMES, compare, describe, document, lines
from protocols.text.notice import NOTICE
from tests.unit.firmware_sim.twin.recorded_line import RecordedLine, profile, whole_session


def test_a_device_of_the_same_kind() -> None:
    twin = whole_session(3).twin(99)
    assert (twin.verdict, twin.slow, twin.seed) == (SAME, [], 99)
    assert twin.masked["PunchDone.depth_um"] == 3 and "Welcome.nonce" not in twin.masked
    text = "\n".join(lines(twin))
    assert "compared: 26 commands, 41 answers, 0 events and alarms" in text
    assert text.endswith("verdict: same") and "first divergence" not in text
    assert "Punch              whole       3        80.000 ms" in text


def test_a_device_that_is_slower_says_the_same_and_is_named() -> None:
    line = whole_session(3, parameters={"anesthesia_wait_s": 1, "suction_ms": 300})
    twin = line.twin(99, Heartbeat__params_hash="ignore")
    assert twin.verdict == TIMES
    assert twin.slow[0] == "Suction, whole answer: median 300 ms in the recording, 100 ms in the twin"
    assert "Suction, whole answer: median 300 ms" in "\n".join(lines(twin))


def test_a_divergence_is_shown_decoded_expected_beside_found() -> None:
    line = whole_session(1, parameters={"anesthesia_wait_s": 1, "needles": 2})
    twin = line.twin(99)
    assert twin.verdict == DIVERGES
    text = "\n".join(lines(twin))
    assert "first divergence, at 0.000000 s of tcp:" in text
    assert "  answer 1: DeviceInfoDone.needles is 2 in the recording, 3 in the twin" in text
    assert "\nasked:    0.000000 s host>device  COMMAND   DeviceInfo" in text
    assert "\nexpected: 0.000000 s device>host  REPLY     DeviceInfoDone" in text and "needles=2" in text
    assert "\nfound:    0.000000 s device>host  REPLY     DeviceInfoDone" in text and "needles=3" in text


def test_what_was_not_said_is_shown_as_nothing() -> None:
    assert describe(None) == "nothing"


def test_the_document_says_what_was_compared_with_what() -> None:
    conversation = whole_session(2).conversation()
    made = document(compare(conversation, profile(99)), conversation, date="2026-01-01", profile={"name": "p"})
    assert json.loads(json.dumps(made)) == made
    assert (made["twin"], made["notice"], made["verdict"]) == (1, NOTICE, "same")
    assert (made["date"], made["profile"]) == ("2026-01-01", {"name": "p"})
    assert made["device"] == {
        "model": "simulated handpiece",
        "serial": "SIM-00000007",
        "firmware_version": "sim-1",
        "simulated": True,
    }
    assert made["divergence"] is None and made["slow"] == []
    assert made["compared"]["commands"] == 22 and made["seed"] == 99
    punch = next(one for one in made["reactions"] if (one["command"], one["answer"]) == ("Punch", "whole"))
    assert punch["recorded"] == {"median_ms": 80, "p95_ms": 80} and punch["count"] == 2


def test_the_document_of_a_divergence_has_the_frames() -> None:
    conversation = whole_session(1, parameters={"anesthesia_wait_s": 1, "needles": 2}).conversation()
    made = document(compare(conversation, profile(99)), conversation)
    found = made["divergence"]
    assert found["reason"].startswith("answer 1: DeviceInfoDone.needles")
    assert found["expected"]["hex"] != found["found"]["hex"] and "DeviceInfo" in found["asked"]["text"]


def test_a_device_that_nobody_asked_who_it_is_is_not_known() -> None:
    line = RecordedLine()
    line.greet()
    conversation = line.conversation()
    assert document(compare(conversation, profile()), conversation)["device"] is None
