"""A run's choices: what the way to a device meets, and the simulator that it brings itself."""

import pytest

from devicectl.conformance.case import Need
from devicectl.conformance.device.catalogue import DEVICE_CASES
from devicectl.conformance.device.session import BRISK, Wanted, brisk, hold, links_of
from devicectl.conformance.outcome import Outcome, Word
from devicectl.transports.urls import parse_url


@pytest.mark.parametrize(
    ("url", "links"),
    [
        ("serial:///dev/ttyUSB0", 1),
        ("rfc2217://127.0.0.1:4002", 1),
        ("sim+pty://", 1),
        ("tcp://127.0.0.1:4001", 17),
    ],
)
def test_a_serial_port_carries_one_link_also_behind_a_gateway(url: str, links: int) -> None:
    assert links_of(parse_url(url)) == links


def test_a_simulator_that_the_run_brings_is_brisk_unless_its_url_says_otherwise() -> None:
    assert brisk(parse_url("sim+tcp://?seed=7")).parameters == BRISK
    assert brisk(parse_url("sim://?purge_s=8&needles=2")).parameters == {**BRISK, "purge_s": 8.0, "needles": 2.0}
    tcp = parse_url("tcp://127.0.0.1:4001")
    assert brisk(tcp) == tcp


def test_one_link_leaves_out_what_needs_a_second() -> None:
    cases = [
        case for case in DEVICE_CASES if case.id in ("lnk.hello", "lnk.replaced-elsewhere", "lnk.sixteenth-viewer")
    ]

    def kept(outcome: Outcome, pieces: object) -> Outcome:
        return outcome

    told: list[tuple[int, int, str]] = []
    wanted = Wanted(parse_url("sim://?seed=1"), cases, links=1, tell=lambda *how_far: told.append(how_far))
    held = hold(wanted, kept)
    assert told == [(number, 3, one.id) for number, one in enumerate(cases)]
    assert {one.case.id: (one.word, one.reason) for one in held.outcomes} == {
        "lnk.hello": (Word.PASSED, ""),
        "lnk.replaced-elsewhere": (Word.SKIPPED, f"needs {Need.SECOND}"),
        "lnk.sixteenth-viewer": (Word.SKIPPED, f"needs {Need.MANY}"),
    }
