"""Gateways that negotiate badly, before the kit and before a session: each is one line that says of what."""

from pathlib import Path

import pytest

from tests.e2e.conformance.bad_devices import Behave, serving, silent
from tests.e2e.conformance.bad_gateways import (
    closes_in_a_word,
    has_another_speed,
    negotiates_without_end,
    never_ends_a_word,
    refuses_all,
    refuses_binary,
    says_once,
    wants_no_data,
)
from tests.e2e.processes import devicectl, one_line

NO_DEVICE = 3
BAD: dict[str, tuple[Behave, str]] = {
    "mute": (silent, "no answer to WILL COM-PORT within 1 s"),
    "refuses": (refuses_all, "it refuses RFC 2217 (COM-PORT-OPTION): is it a plain Telnet port?"),
    "not-binary": (refuses_binary, "it refuses binary transmission"),
    "another-speed": (has_another_speed, "it refuses baud 115200 and has 9600"),
    "options": (negotiates_without_end, "no answer to SET-BAUDRATE 115200 within 1 s"),
    "endless-word": (never_ends_a_word, "no answer to SET-BAUDRATE 115200 within 1 s"),
    "cut-word": (closes_in_a_word, "the gateway closed the connection"),
    "login": (says_once(b"login: "), "no answer to WILL COM-PORT within 1 s: login:"),
}


@pytest.mark.parametrize("name", BAD)
def test_the_kit_names_what_a_gateway_does_not_do(name: str) -> None:
    behave, said = BAD[name]
    with serving(behave, "rfc2217") as url:
        line = one_line(devicectl("conform", "device", "--device", f"{url}?timeout=1", code=NO_DEVICE))
    assert "no device that links: the way to the device is closed: cannot open the serial port" in line
    assert said in line


@pytest.mark.parametrize("name", ["refuses", "options", "cut-word"])
def test_a_session_does_not_begin_behind_one(name: str, tmp_path: Path) -> None:
    behave, said = BAD[name]
    log = tmp_path / "log.sqlite"
    with serving(behave, "rfc2217") as url:
        line = one_line(devicectl("run", "--device", f"{url}?timeout=1", "--log", log, code=NO_DEVICE))
    assert said in line


def test_one_that_takes_no_data_is_no_device_that_links() -> None:
    with serving(wants_no_data, "rfc2217") as url:
        line = one_line(devicectl("conform", "device", "--device", url, code=NO_DEVICE))
    assert "an answer to HELLO: expected within 1500 ms, found nothing of the kind" in line
