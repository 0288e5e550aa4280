"""A handpiece on a bench of labgrid. TRAINING SIMULATOR - NOT A MEDICAL DEVICE.

LG_HANDPIECE=127.0.0.1:4000 LG_FILES=$(mktemp -d) pytest --lg-env env.yaml
"""

import pytest

HELLO = bytes.fromhex("00 04 1702010201010102010103190201020101010101010101010101010207010103e0090101 0572bac186 00")
"""Host 7 asks for a link, nonce 9, without a comparison of schemas: docs/first-contact.md has its bytes one by one."""
WELCOME = rb"\x00.\x17.\x02"
"""Zero, COBS code, kind LINK of major 1, and message 2; the flags before that are 0, and so a COBS code as well."""


@pytest.fixture
def bench(strategy):
    yield strategy
    strategy.transition("off")


def test_a_session_counts_its_cores(bench):
    bench.transition("on")
    session = bench.controller.run("--target-cores", "30")
    assert session["state"] == "completed" and session["reconciled"]
    assert session["cores_counted"] >= 30


def test_what_was_counted_survives_a_loss_of_power(bench):
    bench.transition("on")
    with bench.controller.running("--target-cores", "60") as host:
        while "Cycle 3" not in (line := host.stdout.readline()):
            assert line, "the session has ended before power was lost"
        bench.power.cycle()
        said = host.communicate()[0]
    assert "The link is lost" in said and "session completed, reconciled" in said, said


def test_the_line_answers_a_greeting(bench):
    bench.transition("console")
    bench.console.write(HELLO)
    bench.console.expect(WELCOME, timeout=5)
