"""The device and the host in C of the examples, built with sanitizers; the device as a process, and in virtual time.

How the bench works: its C program is the device without main.c, and a loop that reads "TIME PORT HEX" and answers with
what each port has said by then. So a lease of 15 s takes no time, and what happened at which millisecond is exact.
"""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from protocols.language import messages as M
from protocols.language.enums import Kind, Role
from protocols.language.message import Message
from protocols.language.schema import schema_id
from protocols.language.version import MAJOR, MINOR
from protocols.link.header import REPLY_WANTED
from protocols.link.port import BadFrame, Envelope
from protocols.serial.payload import encode_message
from protocols.serial.wire import SerialWire
from tests.patience import patience
from tests.programs import ROOT
from tests.runs.once import once

SOURCES: Final = ROOT / "examples" / "c_device"
HOST_SOURCES: Final = ROOT / "examples" / "c_host"
CHECKED: Final = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
QUICK: Final = ("--param", "anesthesia_wait_s=1", "--param", "reposition_mean_s=0.1")
LONG_LEASE: Final = ("--param", "lease_armed_ms=2000")  # a loaded machine is no lost link
BENCH: Final = r"""
#include "device.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct port *places[PORTS];
static unsigned nibble(char c) { return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10); }
static void print_out(millis now) {
    for (int n = 0; n < PORTS; n++) {
        struct port *port = places[n];
        if (!port || !port->out_size) continue;
        printf("%lld %d ", (long long)now, n);
        for (size_t i = 0; i < port->out_size; i++) printf("%02x", port->out[i]);
        printf("\n");
        port->out_size = 0;
    }
}

int main(int count, char **words) {
    static char line[1 << 20];
    static uint8_t data[1 << 19];
    millis now = 1000;
    for (int n = 1; n < count; n++) {
        char name[33]; double value;
        if (sscanf(words[n], "%32[a-z_]=%lf", name, &value) != 2) return 2;
        if (!parameter_set(parameter_named(name), value)) return 2;
    }
    boot(7, now);
    while (fgets(line, sizeof line, stdin)) {
        char *at = line;
        millis until = strtoll(at, &at, 10);
        long place = strtol(at, &at, 10);
        size_t size = 0;
        for (millis due; (due = next_due(now)) <= until;) now = due > now ? due : now, advance(now), print_out(now);
        now = until;
        while (*at == ' ') at++;
        for (; *at > ' ' && *at != '-'; at += 2) data[size++] = (uint8_t)(nibble(at[0]) << 4 | nibble(at[1]));
        if (*at == '-' && places[place]) port_close(places[place], now), places[place] = NULL;
        else if (!places[place]) places[place] = port_open(now);
        if (size && places[place]) port_receive(places[place], data, size, now);
        advance(now), print_out(now);
        printf(".\n"), fflush(stdout);
    }
    return 0;
}
"""


def _by_its_makefile(sources: Path, cc: str, make: str, folder: Path) -> None:
    shutil.copytree(sources, folder, ignore=shutil.ignore_patterns(sources.name))
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    line = [make, "SANITIZE=1", f"CC={cc}"]
    done = subprocess.run(line, cwd=folder, env=env, capture_output=True, text=True, timeout=patience(), check=False)
    assert done.returncode == 0 and not done.stderr, done.stderr


def host(program: Callable[[str], str], factory: pytest.TempPathFactory) -> Path:
    """The folder of the host in C, built by its Makefile with the sanitizers once a run: nothing is written there."""
    cc, make = program("cc"), program("make")
    return once(factory, "c_host", lambda folder: _by_its_makefile(HOST_SOURCES, cc, make, folder))


def device(program: Callable[[str], str], factory: pytest.TempPathFactory) -> Path:
    """The same of the device, with the bench beside it."""
    cc, make = program("cc"), program("make")
    return once(factory, "c_device", lambda folder: _with_its_bench(cc, make, folder))


def _with_its_bench(cc: str, make: str, folder: Path) -> None:
    _by_its_makefile(SOURCES, cc, make, folder)
    (folder / "bench.c").write_text(BENCH, encoding="utf-8")
    parts = [str(path) for path in folder.rglob("*.c") if path.name != "main.c"]
    warnings = ["-std=c99", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([cc, *warnings, *CHECKED, "-o", "bench", *parts, "-lm"], cwd=folder, timeout=patience(), check=True)


@contextlib.contextmanager
def served(device: Path, *options: str) -> Iterator[str]:
    """Run the device while the context lasts; its URL. A sanitizer's report, or an end of its own, fails."""
    pipe = subprocess.PIPE
    with subprocess.Popen([device, *options], stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            notice, url = process.stdout.readline(), process.stdout.readline().strip()
            assert "NOT A MEDICAL DEVICE" in notice and "://" in url, process.stderr.read()
            yield url
            assert process.poll() is None, process.stderr.read()
        finally:
            process.terminate()
            _, errors = process.communicate(timeout=patience())
        assert (process.returncode, errors) == (0, "")


class Bench:
    """The device in virtual time: what is given to its ports, and what they have said at which millisecond."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.now_ms = 1000
        self.said: list[tuple[int, int, Envelope | BadFrame]] = []
        """(millisecond, port, item) of all that was said."""
        self._wires: dict[int, SerialWire] = {}

    def give(self, port: int, data: bytes) -> list[Envelope | BadFrame]:
        """Hand bytes to a port at this time; what that port says at once."""
        return [item for _, at, item in self._step(f"{self.now_ms} {port} {data.hex()}") if at == port]

    def wait(self, milliseconds: int, port: int = 0) -> list[tuple[int, Envelope | BadFrame]]:
        """Let time pass; what the port has said meanwhile, and when."""
        self.now_ms += milliseconds
        return [(at_ms, item) for at_ms, at, item in self._step(f"{self.now_ms} {port} ") if at == port]

    def close(self, port: int) -> None:
        """Take the transport of a port away."""
        self._step(f"{self.now_ms} {port} -")

    def _step(self, line: str) -> list[tuple[int, int, Envelope | BadFrame]]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None
        stdin.write(line + "\n")
        stdin.flush()
        found: list[tuple[int, int, Envelope | BadFrame]] = []
        while (answer := stdout.readline()) != ".\n":
            assert answer, self._process.stderr.read() if self._process.stderr is not None else ""
            at_ms, port, data = answer.split()
            wire = self._wires.setdefault(int(port), SerialWire())
            found += [(int(at_ms), int(port), item) for item in wire.feed(bytes.fromhex(data))]
        self.said += found
        return found


@contextlib.contextmanager
def bench(folder: Path, *parameters: str) -> Iterator[Bench]:
    """Run the device in virtual time while the context lasts; a sanitizer's report fails."""
    pipe = subprocess.PIPE
    line = [str(folder / "bench"), *parameters]
    with subprocess.Popen(line, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield Bench(process)
        finally:
            _, errors = process.communicate(timeout=patience())
        assert (process.returncode, errors) == (0, "")


class Host:
    """A host on one port of a bench, which sends what it is told and beats while it waits."""

    def __init__(self, of: Bench, port: int = 0, *, host_id: int = 1, role: Role = Role.CONTROLLER) -> None:
        self.bench, self.port, self.host_id, self.role = of, port, host_id, role
        self.link_id = self.seq = self.correlation_id = 0
        self.told: list[Message] = []
        """Messages that answer nothing, in their order."""

    def hello(self, **changed: object) -> M.Hello:
        """Make a HELLO of this version."""
        fields: dict[str, object] = {
            "majors": 1 << MAJOR,
            "minor": MINOR,
            "role": self.role,
            "features": 0,
            "schema_id": schema_id(MINOR),
            "host_id": self.host_id,
            "max_payload_size": 224,
            "nonce": self.host_id,
        }
        return M.Hello(**{**fields, **changed})  # type: ignore[arg-type]

    def link(self, **changed: object) -> M.Welcome:
        """Greet; the WELCOME."""
        (welcome,) = self.send(self.hello(**changed), link_id=0)
        assert isinstance(welcome, M.Welcome), welcome
        self.link_id = welcome.link_id
        return welcome

    def send(
        self, message: Message, *, link_id: int | None = None, correlation_id: int | None = None, flags: int = 0
    ) -> list[Message]:
        """Send one frame; the messages that come back at once, but for what answers nothing."""
        self.seq = self.seq + 1 & 0xFFFF
        if correlation_id is None and (message.KIND is Kind.COMMAND or isinstance(message, M.Hello)):
            self.correlation_id = correlation_id = self.correlation_id % 0xFFFF + 1
        if message.KIND is Kind.COMMAND:
            flags |= REPLY_WANTED
        link_id = self.link_id if link_id is None else link_id
        data = encode_message(message, self.seq, link_id, correlation_id or 0, flags)
        return self._sift(self.bench.give(self.port, data))

    def ask(self, command: Message, *, most_ms: int = 60_000) -> Message:
        """Give a command and wait for its end."""
        answers = self.send(command)
        for _ in range(0, most_ms, 50):
            if answers and not isinstance(answers[-1], M.Received):
                return answers[-1]
            answers += self._sift([item for _, item in self.bench.wait(50, self.port)])
            answers += self.send(M.HostHeartbeat())
        raise AssertionError(f"{command} was not ended within {most_ms} ms: {answers}")

    def _sift(self, items: list[Envelope | BadFrame]) -> list[Message]:
        answers: list[Message] = []
        for item in items:
            assert isinstance(item, Envelope) and item.message is not None, item
            answering = item.header.correlation_id or isinstance(item.message, M.Nak)
            if not isinstance(item.message, M.Progress):
                (answers if answering else self.told).append(item.message)
        return answers

    # --- the way to a state ------------------------------------------------------------------------------------

    def open_session(self, cores: int = 60, cells: int = 5) -> M.SessionOpenDone:
        """Open a session of one zone at 6 % and 3 mm."""
        done = self.ask(M.SessionOpen(target_cores=cores, coverage_bp=600, depth_um=3000, zones_cm2=(cells,)))
        assert isinstance(done, M.SessionOpenDone), done
        return done

    def arm(self) -> M.Welcome:
        """Link, open a session, numb its zone, arm, and move the hand to the first cell."""
        welcome = self.link()
        self.open_session()
        steps = (M.AnesthesiaStart(zone=0, age_s=600, method="test"), M.AnesthesiaConfirm(zone=0, confirmed_by="test"))
        for step in (*steps, M.Arm(), M.Reposition(zone=0, cell=0)):
            assert type(done := self.ask(step)).__name__ == f"{type(step).__name__}Done", done
        return welcome

    def punch(self, cycle_no: int = 1) -> M.Punch:
        """Make a PUNCH that is not void before its time."""
        return M.Punch(cycle_no=cycle_no, depth_um=3000, deadline_ms=self.bench.now_ms - 1000 + 3000)

    def cycle(self, cycle_no: int) -> M.CountDone:
        """Make a whole cycle."""
        for step in (self.punch(cycle_no), M.Suction(cycle_no=cycle_no), M.Advance(cycle_no=cycle_no, steps=1)):
            assert type(done := self.ask(step)).__name__ == f"{type(step).__name__}Done", done
        done = self.ask(M.Count(cycle_no=cycle_no))
        assert isinstance(done, M.CountDone), done
        return done
