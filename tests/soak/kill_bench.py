"""A device whose memory outlives it, one log, hosts one after the other; either end is killed, and both books compared.

A moment is a number of bytes of the host's trace and a few thousand turns of a loop: between two frames, in a write of
the log or of the memory, wherever that is on a machine that is busy or idle.
"""

import random
import re
import subprocess
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from protocols.language.enums import Role
from protocols.language.records import Cycle, decode_record
from tests.client import tcp
from tests.e2e.processes import DEVICECTL, started, wait_until
from tests.e2e.sessions import PARAMETERS, VIEWER_ID, reports_of
from tests.patience import MOMENT_S, patience
from tests.programs import Served, serve

MOST_BYTES: Final = 8_000
"""Of the trace of a session of two cycles that nobody disturbs: nearly all."""
MOST_TURNS: Final = 200_000
"""Some milliseconds."""
CORES: Final = ("--target-cores", "6")
LIVES: Final = 5
"""Of hosts that are killed in one session."""
STARTS: Final = 6
"""Of hosts that are left in peace, until the session is closed."""
_ACKNOWLEDGED: Final = re.compile(r"host>device.* JournalAck .*upto=(\d+)$", re.MULTILINE)


class KillBench:
    """Sessions in which ends are killed. `kills` counts them; every session is judged when it is closed."""

    def __init__(self, folder: Path, stack: ExitStack, seed: str) -> None:
        self.draw = random.Random(seed)
        self.kills = Counter[str]()
        self.sessions = self.rows = 0
        self._folder = folder
        self._log = folder / "log.sqlite"
        self._stack = stack
        self._said = ""
        self._acknowledged = 0
        self._stored: tuple[bytes, ...] = ()
        self._device = self._serve("127.0.0.1:0")

    @property
    def report(self) -> str:
        """The figures in one line."""
        return (
            f"{self.kills['host']} kills of the host, {self.kills['device']} of the device: {self.sessions} sessions, "
            f"each reconciled; {self.rows} rows, 0 lost, 0 doubled"
        )

    def session(self, *ends: str) -> None:
        """One session in which these ends are killed, ended in peace and judged."""
        self._acknowledged, self._stored = 0, ()
        options: tuple[str, ...] = CORES
        for _ in range(self.draw.randint(1, LIVES)):
            if not self._life(ends, *options):
                break
            options = ("--resume",)
        self._close()
        self._judge()

    # --- the ends --------------------------------------------------------------------------------------------

    def _serve(self, where: str) -> Served:
        memory = str(self._folder / "nvm")
        return self._stack.enter_context(serve("--tcp", where, "--nvm", memory, *PARAMETERS))

    def _kill_device(self) -> None:
        """Take its power away, and start it at the same port."""
        host, port = self._device.tcp
        self._device.kill()
        self.kills["device"] += 1
        self._device = self._serve(f"{host}:{port}")

    def _line(self, *options: str) -> list[str]:
        """A host's command line."""
        where = ("--device", self._device.urls[0], "--log", str(self._log), "--trace", str(self._folder / "trace"))
        return [*DEVICECTL, "run", "--json", *options, *where]

    def _life(self, ends: tuple[str, ...], *options: str) -> bool:
        """One host, in whose life an end is killed up to three times; true where that was the host at last."""
        trace, output = self._folder / "trace", self._folder / "output"
        trace.unlink(missing_ok=True)
        with (
            output.open("w") as said,
            started(self._line(*options), stdout=said, stderr=subprocess.STDOUT) as host,
        ):
            for moment in sorted(self.draw.randrange(MOST_BYTES) for _ in range(self.draw.randint(1, 3))):
                if not self._comes(moment, trace, host):
                    break
                end = self.draw.choice(ends)
                if end == "host":
                    host.kill()
                    self.kills["host"] += 1
                    break
                self._kill_device()
            ended = host.wait(3 * patience())
        self._said = output.read_text("utf-8")
        assert "Traceback" not in self._said, self._said
        self._note(trace)
        return ended < 0

    def _comes(self, moment: int, trace: Path, host: "subprocess.Popen[str]") -> bool:
        """Wait for a moment; false where the host has ended before it."""

        def reached() -> bool:
            return trace.exists() and trace.stat().st_size >= moment

        wait_until(lambda: host.poll() is not None or reached(), f"{moment} bytes of the trace", 3 * MOMENT_S)
        for _ in range(self.draw.randrange(MOST_TURNS)):
            pass
        return host.poll() is None

    def _close(self) -> None:
        """As a person would: resume what the log knows, abandon what it does not."""
        for _ in range(STARTS):
            code = self._in_peace("--resume")
            if code == 0 or "no open session to resume" in self._said:
                return
            if "--abandon" in self._said and "does not know it" in self._said:
                assert self._in_peace("--abandon") == 0, self._said
                return
        raise AssertionError(f"still open after {STARTS} hosts: {self._said}")

    def _in_peace(self, option: str) -> int:
        """One host to its end; its exit code."""
        line = self._line(option)
        done = subprocess.run(line, capture_output=True, text=True, timeout=3 * patience(), stdin=subprocess.DEVNULL)
        self._said = done.stdout + done.stderr
        assert "Traceback" not in self._said, self._said
        self._note(self._folder / "trace")
        return done.returncode

    # --- the judge -------------------------------------------------------------------------------------------

    def _note(self, trace: Path) -> None:
        """Note what a host that has ended had acknowledged, and what is in the log: none of it was lost since."""
        if trace.exists():
            acknowledged = map(int, _ACKNOWLEDGED.findall(trace.read_text("utf-8")))
            self._acknowledged = max(self._acknowledged, *acknowledged, 0)
        reports = reports_of(self._log)
        if len(reports) > self.sessions:
            stored = reports[-1].records
            assert stored[: len(self._stored)] == self._stored, "rows of the log are lost or others"
            assert reports[-1].next_event_no >= self._acknowledged, "acknowledged, and not in the log"
            self._stored = stored

    def _judge(self) -> None:
        """The session is closed and reconciled, and the log's rows are the device's journal to the byte."""
        for report in reports_of(self._log)[self.sessions :]:
            assert report.summary.state in ("completed", "aborted") and report.summary.reconciled, report.differences
            assert report.counts == report.device_totals
            first, upto = report.start.first_event_no, report.next_event_no
            numbers = [int.from_bytes(raw[:4], "little") for raw in report.records]
            assert numbers == list(range(first, upto))
            cycles = [record.cycle_no for raw in report.records if isinstance(record := decode_record(raw), Cycle)]
            assert cycles == [*range(report.start.first_cycle_no, report.start.first_cycle_no + report.counts.cycles)]
            with tcp(self._device.tcp, host_id=VIEWER_ID, role=Role.VIEWER) as viewer:
                viewer.link()
                assert viewer.journal(report.start.epoch, first, upto) == report.records
            self.sessions += 1
            self.rows += len(report.records)
