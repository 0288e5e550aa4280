"""A hook that takes the power of a device away for real: its process is killed, and started again with its memory."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from devicectl.cli.conform.files import choose
from devicectl.conformance.device.session import Wanted, hold
from devicectl.conformance.outcome import Outcome, Word
from devicectl.transports.urls import parse_url
from tests.brokers import running
from tests.patience import patience
from tests.programs import Served, serve

SESSION = ("--param", "reposition_mean_s=0.3")


@contextlib.contextmanager
def switched(folder: Path, line: Callable[[Served | None], Sequence[str]]) -> Iterator[tuple[Served, str]]:
    """Serve a device, and give it with a hook that kills it and serves it again.

    `line` makes the command line, for a second life from the first one.
    """
    asked, done = folder / "asked", folder / "done"
    for path in (asked, done):
        os.mkfifo(path)
    with contextlib.ExitStack() as stack:
        # Opened for both, it is never at its end, and neither side waits for the other to open it.
        requests = stack.enter_context(os.fdopen(os.open(asked, os.O_RDWR), encoding="utf-8"))
        first = stack.enter_context(serve(*line(None)))

        def switch() -> None:
            alive = first
            while requests.readline() == "now\n":
                alive.kill()
                alive = stack.enter_context(serve(*line(first)))
                done.write_text("done\n", encoding="utf-8")

        hand = threading.Thread(target=switch)
        hand.start()
        try:
            yield first, f"echo now >{asked} && cat {done}"
        finally:
            asked.write_text("end\n", encoding="utf-8")
            hand.join(patience())


def words(url: str, hook: str, *cases: str) -> dict[str, tuple[str, str]]:
    """Run cases with a hook; their words and reasons."""
    held = hold(Wanted(parse_url(url), choose(cases), hook=hook, slack_ms=3_000), lambda outcome, pieces: outcome)
    return {one.case.id: (str(one.word), one.reason) for one in held.outcomes}


def test_a_device_that_keeps_its_memory_passes(tmp_path: Path) -> None:
    def line(first: Served | None) -> Sequence[str]:
        port = 0 if first is None else first.tcp[1]
        return ("--tcp", f"127.0.0.1:{port}", "--nvm", str(tmp_path / "nvm"), *SESSION)

    with switched(tmp_path, line) as (served, hook):
        host, port = served.tcp
        found = words(f"tcp://{host}:{port}", hook, "evt.power-*", "lnk.power")
    assert len(found) == 6 and {word for word, _ in found.values()} == {"passed"}, found


def test_a_device_that_boots_again_in_the_midst_of_a_run_is_greeted_again(tmp_path: Path) -> None:
    memory = ("--nvm", str(tmp_path / "nvm"))
    with contextlib.ExitStack() as stack:
        alive = [stack.enter_context(serve("--tcp", "127.0.0.1:0", *memory, *SESSION))]
        host, port = alive[0].tcp

        def keep(outcome: Outcome, pieces: object) -> Outcome:
            if outcome.case.id in ("cyc.numbers", "cyc.older"):  # the hand is at a cell, and a session is open
                alive[-1].kill()
                alive.append(stack.enter_context(serve("--tcp", f"{host}:{port}", *memory, *SESSION)))
            return outcome

        cases = choose(["cyc.numbers", "cyc.last-again", "cyc.older", "cyc.count", "cyc.order", "cyc.pause"])
        found = hold(Wanted(parse_url(f"tcp://{host}:{port}"), cases, slack_ms=3_000), keep).outcomes
    assert len(alive) == 3
    behind = [one for one in found if one.word is not Word.PASSED]
    assert len(behind) <= 2 < len(found), behind  # the case behind each boot finds its link gone, the next one greets
    assert [one for one in behind if "expected" in one.reason and "could not be brought" not in one.reason] == []
    assert found[-1].word is Word.PASSED


@pytest.mark.parametrize("keeps", [True, False])
def test_each_birth_behind_a_broker_has_another_number(
    keeps: bool, program: Callable[[str], str], tmp_path: Path
) -> None:
    memory = ("--nvm", str(tmp_path / "nvm")) if keeps else ()
    with (
        running(program("mosquitto"), tmp_path) as broker,
        switched(tmp_path, lambda first: ("--mqtt", broker.url(), *memory)) as (_, hook),
    ):
        found = words(broker.url(), hook, "mqt.born-again")
    wrong = "birth_no after a loss of power: expected another one than 1, found 1"
    assert found == {"mqt.born-again": ("passed", "") if keeps else ("failed", wrong)}
