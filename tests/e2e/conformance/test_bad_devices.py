"""Devices that do everything wrong: each gets a verdict or one line, and the run ends within its limit."""

from functools import partial

import pytest

from protocols.language.messages import EchoDone
from protocols.serial.payload import encode_message
from tests.e2e.conformance.bad_devices import (
    TEXTS,
    Behave,
    answers_late,
    closes,
    floods,
    says,
    serving,
    silent,
    welcomes_alone,
    welcomes_late,
)
from tests.e2e.processes import devicectl, one_line

NO_DEVICE = 3
FAILED = 1


def test_nobody_there() -> None:
    said = one_line(devicectl("conform", "device", "--device", "tcp://127.0.0.1:1", code=NO_DEVICE))
    assert "no device that links" in said and "Connection refused" in said


@pytest.mark.parametrize(
    ("behave", "said"),
    [
        pytest.param(silent, "an answer to HELLO: expected within 1500 ms, found nothing of the kind", id="silent"),
        *(pytest.param(says(text), "no device that links", id=name) for name, text in TEXTS.items()),
        pytest.param(floods(b"\x55"), "no device that links", id="noise"),
        pytest.param(floods(encode_message(EchoDone(data=b"x"), 1, 2, 3)), "no device that links", id="frames"),
        pytest.param(floods(b"\0"), "no device that links", id="zeros"),
        pytest.param(closes, "no device that links: the way to the device is closed", id="closes"),
    ],
)
def test_what_does_not_link_is_one_line(behave: Behave, said: str) -> None:
    with serving(behave) as url:
        line = one_line(devicectl("conform", "device", "--device", url, code=NO_DEVICE))
    assert said in line


def test_other_peoples_text_is_shown() -> None:
    with serving(says(TEXTS["nmea"])) as url:
        assert "GPGGA" in one_line(devicectl("conform", "device", "--device", url, code=NO_DEVICE))


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(welcomes_alone, id="mute"),
        pytest.param(partial(answers_late, after_s=5.5), id="late"),
        pytest.param(partial(welcomes_alone, frames=4), id="closes"),
    ],
)
def test_one_that_links_and_no_more_gets_a_verdict_within_the_limit(behave: Behave) -> None:
    with serving(behave) as url:
        done = devicectl(
            *("conform", "device", "--device", url, "--case", "frm.*", "--case", "lnk.*", "--limit", "8"), code=FAILED
        )
    assert "verdict: failed" in done.stdout
    assert "the limit of the run, 8 s, was over" in done.stdout or "3 times in a row" in done.stdout


def test_answers_behind_their_limit_are_counted() -> None:
    with serving(partial(welcomes_late, after_s=1.2)) as url:
        line = one_line(devicectl("conform", "device", "--device", url, code=NO_DEVICE))
    assert "an answer to HELLO: expected within 1500 ms, found 1, each later than the 1000 ms that a HELLO has" in line
