"""The host in C against the served device: what it prints is what the device's memory says, also over a bad line."""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import pytest

from devicectl.session.count import Fold
from firmware_sim import memory_file
from protocols.text.notice import NOTICE
from tests import vectors
from tests.e2e.processes import DEVICECTL, read_until, started
from tests.integration.c_device import built_device
from tests.integration.c_device.built_device import HOST_SOURCES as SOURCES
from tests.patience import patience
from tests.programs import FIRMWARE_SIM, environment, hardware_served, serve

MOST_LINES: Final = 380
QUICK: Final = [
    *("--param", "anesthesia_wait_s=1"),
    *("--param", "reposition_mean_s=0.1"),
    *("--param", "lease_armed_ms=2000"),  # a loaded machine is no lost link
]
"""What keeps a session in real time short."""
KIT_TAKES_S: Final = 150
COUNTS: Final = ("cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted")


@pytest.fixture(scope="session")
def built(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The host's folder, built there by its Makefile with the sanitizers."""
    return built_device.host(program, tmp_path_factory)


@pytest.fixture
def c_host(built: Path) -> str:
    """The host itself."""
    return str(built / "c_host")


def said(output: str) -> dict[str, str]:
    """The last line's NAME=VALUE pairs, and in "link" those of the line before."""
    before, last = output.splitlines()[-2:]
    pairs = dict(word.split("=") for word in f"{before} {last}".removeprefix("link: ").split() if "=" in word)
    return {**pairs, "reason": last.split()[1]}


def remembered(path: Path) -> dict[str, Any]:
    """What the device's memory holds of its last close, checked against a fold of its journal."""
    nvm = memory_file.load(path)
    try:
        closed = nvm.last_close
        assert closed is not None and nvm.session is None
        assert nvm.last_outcome is not None
        fold = Fold(needles=nvm.last_outcome.needles, first_cycle_no=1, first_event_no=1)
        event_no = 1
        while page := nvm.read(event_no, 64)[1]:
            for raw in page:
                fold.add_raw(raw)
            event_no += len(page)
        counts = asdict(fold.counts)
        assert not fold.problems
        assert counts == {name: getattr(closed, name) for name in COUNTS}
        return counts
    finally:
        memory_file.close(nvm)


def assert_agrees(output: str, memory: Path) -> None:
    """The counts that were printed are those of the device's memory."""
    assert {name: int(said(output)[name]) for name in COUNTS} == remembered(memory)


def run(c_host: str, *options: str, url: str | None = None) -> "subprocess.CompletedProcess[str]":
    """The host under `exec`, or alone with a URL."""
    line = [*FIRMWARE_SIM, "exec", *options, "--", c_host] if url is None else [c_host]
    env = environment({} if url is None else {"HANDPIECE_URL": url})
    done = subprocess.run(
        line, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=patience(), check=False
    )
    assert "Sanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr
    return done


# --- whole sessions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("transport", ["pty", "tcp"])
def test_a_whole_session(transport: str, c_host: str, tmp_path: Path) -> None:
    memory = tmp_path / "device.nvm"
    port = tmp_path / "100 %41"  # in its URL: 100%20%2541
    at = ("--pty", "--link", str(port)) if transport == "pty" else ("--tcp", "127.0.0.1:0")
    misses = ("--param", "miss_p=0.15")  # by chance alone the first cell may have all 30
    done = run(c_host, *at, *QUICK, *misses, "--seed", "7", "--nvm", str(memory))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(NOTICE + "\n")
    assert said(done.stdout)["reason"] == "completed" and said(done.stdout)["agreed"] == "yes"
    assert int(said(done.stdout)["cores_counted"]) >= 30
    assert done.stdout.count("\ncell ") == 2, "30 cores do not fit the first cell"
    assert_agrees(done.stdout, memory)


def test_a_device_that_is_no_simulator_is_left_alone(c_host: str, tmp_path: Path) -> None:
    """It would confirm the anesthesia in a person's place."""
    with hardware_served(tmp_path, "--nvm", str(tmp_path / "device.nvm")) as url:
        done = run(c_host, url=url)
    assert (done.returncode, done.stdout) == (3, "")
    assert "the device is no simulator: nothing was begun on it" in done.stderr
    nvm = memory_file.load(tmp_path / "device.nvm")
    try:
        assert nvm.session is None and nvm.last_close is None
    finally:
        memory_file.close(nvm)


@contextlib.contextmanager
def echoing(device: tuple[str, int]) -> Iterator[str]:
    """A line to the device that brings the host its own bytes as well; the device URL."""
    with socket.create_server(("127.0.0.1", 0)) as server, contextlib.ExitStack() as stack:

        def carry(source: socket.socket, *targets: socket.socket) -> None:
            with contextlib.suppress(OSError):
                while data := source.recv(4096):
                    for target in targets:
                        target.sendall(data)
            for target in targets:
                with contextlib.suppress(OSError):
                    target.shutdown(socket.SHUT_RDWR)

        def serve_one() -> None:
            host = stack.enter_context(server.accept()[0])
            far = stack.enter_context(socket.create_connection(device))
            asking = threading.Thread(target=carry, args=(host, host, far))
            asking.start()
            carry(far, host)
            asking.join()

        line = threading.Thread(target=serve_one)
        line.start()
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        line.join(patience())


def test_a_session_over_a_line_that_echoes(c_host: str, tmp_path: Path) -> None:
    """What comes back of the host's own is no answer and no sign of life."""
    with serve("--tcp", "127.0.0.1:0", *QUICK, "--seed", "7") as served, echoing(served.tcp) as url:
        done = run(c_host, url=url)
    assert done.returncode == 0, done.stdout + done.stderr
    assert said(done.stdout)["reason"] == "completed" and said(done.stdout)["agreed"] == "yes"


@pytest.mark.timeout(400)
def test_it_breaks_no_rule_that_the_kit_tries(c_host: str, tmp_path: Path) -> None:
    """Without a baseline. What it was not seen to do is to come back, which its README says that it leaves out."""
    report = tmp_path / "report.json"
    line = [*DEVICECTL, "conform", "controller", "--json", str(report), "--jobs", "8", "--", c_host]
    done = subprocess.run(line, capture_output=True, text=True, timeout=patience(KIT_TAKES_S), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    cases = json.loads(report.read_text(encoding="utf-8"))["cases"]
    assert {case["word"] for case in cases} == {"passed", "skipped"}
    skipped = [case["id"] for case in cases if case["word"] == "skipped" and "needs a broker" not in case["reason"]]
    assert sorted(skipped) == sorted(case["id"] for case in cases if case["id"].startswith("back."))
    assert len(skipped) == 6, "docs/conformance.md says how many"


def test_leases_of_0_never_end(c_host: str, tmp_path: Path) -> None:
    memory = tmp_path / "device.nvm"
    off = ["--param", "lease_idle_ms=0", "--param", "lease_armed_ms=0"]
    done = run(c_host, "--tcp", "127.0.0.1:0", *QUICK[:-2], *off, "--seed", "7", "--nvm", str(memory))
    assert done.returncode == 0, done.stdout + done.stderr
    assert_agrees(done.stdout, memory)


def test_clogged_needles_are_purged_and_the_lease_is_kept_meanwhile(c_host: str, tmp_path: Path) -> None:
    memory = tmp_path / "device.nvm"
    clogs = ["--param", "clog_hazard=0.1", "--param", "purge_s=3"]  # longer than the lease: only a heartbeat keeps it
    done = run(c_host, "--tcp", "127.0.0.1:0", *QUICK, *clogs, "--seed", "3", "--nvm", str(memory))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "alarm MC-0601" in done.stdout and "purged; needles still clogged: 0x00" in done.stdout
    assert_agrees(done.stdout, memory)


def test_what_needs_a_person_is_closed_as_aborted(c_host: str, tmp_path: Path) -> None:
    memory = tmp_path / "device.nvm"
    misses = [
        "--param",
        "miss_p=1",
        "--param",
        "count_warn=9",
        "--param",
        "count_stop=10",
        "--param",
        "blocked_empties=99",
    ]
    done = run(c_host, "--tcp", "127.0.0.1:0", *QUICK, *misses, "--seed", "3", "--nvm", str(memory))
    assert done.returncode == 1, done.stdout + done.stderr
    assert "refused: " in done.stdout and "too many cores are missing" in done.stdout
    assert said(done.stdout)["reason"] == "aborted" and said(done.stdout)["agreed"] == "yes"
    assert_agrees(done.stdout, memory)


# --- a bad line ----------------------------------------------------------------------------------------------------


class NoisyLine:
    """A TCP proxy that puts garbage between frames, flips bits and loses frames, never two of one direction in turn."""

    def __init__(self, device: tuple[str, int], seed: int) -> None:
        self._device = device
        self._seed = seed
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self.lost = 0
        self.flipped = 0

    @contextmanager
    def carrying(self) -> Iterator["NoisyLine"]:
        """Carry one connection while the context lasts."""
        thread = threading.Thread(target=self._carry)
        thread.start()
        try:
            yield self
        finally:
            self._listener.close()
            thread.join(patience())
            assert not thread.is_alive()

    def _carry(self) -> None:
        host, _ = self._listener.accept()
        with host, socket.create_connection(self._device) as device:
            back = threading.Thread(target=self._pass_on, args=(device, host, f"{self._seed}:device"))
            back.start()
            self._pass_on(host, device, f"{self._seed}:host")
            back.join(patience())

    def _pass_on(self, source: socket.socket, sink: socket.socket, seed: str) -> None:
        """Until the source ends: what is whole goes on, worse than it came."""
        rng, kept, frames = random.Random(seed), b"", 0
        try:
            sink.sendall(rng.randbytes(1000))
            while data := source.recv(4096):
                *pieces, kept = (kept + data).split(b"\0")
                for piece in filter(None, pieces):
                    frames += 1
                    sink.sendall(self._worsened(piece, frames, rng))
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other side has gone first

    def _worsened(self, piece: bytes, number: int, rng: random.Random) -> bytes:
        noise = rng.randbytes(rng.randrange(1, 300)) if number % 3 == 0 else b""
        if number % 12 == 5:
            self.lost += 1
            return noise
        if number % 12 == 11:
            at = rng.randrange(len(piece))
            self.flipped += 1
            piece = piece[:at] + bytes([piece[at] ^ 1 << rng.randrange(8)]) + piece[at + 1 :]
        return noise + b"\0" + piece + b"\0"


def test_counts_are_exact_over_a_bad_line(c_host: str, tmp_path: Path) -> None:
    memory = tmp_path / "device.nvm"
    needles = ["--param", "needles=5"]  # fewer cycles: on such a line each takes a second
    with serve("--tcp", "127.0.0.1:0", *QUICK, *needles, "--seed", "7", "--nvm", str(memory)) as device:
        with NoisyLine(device.tcp, seed=1).carrying() as line:
            done = run(c_host, url=line.url)
        assert device.stop() == 0
    assert done.returncode == 0, done.stdout + done.stderr
    assert line.lost > 5 and line.flipped > 5
    assert int(said(done.stdout)["retries"]) > 5 and int(said(done.stdout)["bad_frames"]) > 5
    assert said(done.stdout)["agreed"] == "yes"
    assert_agrees(done.stdout, memory)


# --- ends ----------------------------------------------------------------------------------------------------------


def test_ctrl_c_stops_and_closes_as_aborted(c_host: str, tmp_path: Path) -> None:
    memory = tmp_path / "device.nvm"
    with ExitStack() as stack:
        device = stack.enter_context(serve("--tcp", "127.0.0.1:0", *QUICK, "--seed", "7", "--nvm", str(memory)))
        env = environment({"HANDPIECE_URL": device.urls[0]})
        pipe = subprocess.PIPE
        process = stack.enter_context(started([c_host], stdout=pipe, stderr=pipe, env=env))
        output = read_until(process, "cycle 2:")
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=patience())
        assert (process.returncode, errors) == (1, "")
        assert device.stop() == 0
    assert said(output + rest)["reason"] == "aborted" and said(output + rest)["agreed"] == "yes"
    assert_agrees(output + rest, memory)


def test_a_device_that_goes_away_is_one_line(c_host: str) -> None:
    with ExitStack() as stack:
        device = stack.enter_context(serve("--tcp", "127.0.0.1:0", *QUICK, "--seed", "7"))
        env = environment({"HANDPIECE_URL": device.urls[0]})
        pipe = subprocess.PIPE
        process = stack.enter_context(started([c_host], stdout=pipe, stderr=pipe, env=env))
        read_until(process, "cycle 1:")
        device.kill()
        _, errors = process.communicate(timeout=patience())
    assert process.returncode == 1
    assert errors.startswith("c_host: link lost: ") and errors.count("\n") == 1
    assert "stays open" in errors


@pytest.mark.parametrize(
    "url",
    [
        *("", "nonsense", "udp://127.0.0.1:1", "tcp://", "tcp://127.0.0.1", "tcp://127.0.0.1:", "tcp://:7777"),
        "tcp://[]:7777",
        *("tcp://127.0.0.1:http", "tcp://" + "x" * 300 + ":1", "serial://ttyUSB0", "serial:///dev/null?baud=9600"),
        "serial:///" + "x" * 5000,
    ],
)
def test_a_bad_url_is_one_line(url: str, c_host: str) -> None:
    done = run(c_host, url=url)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("c_host: HANDPIECE_URL ") and done.stderr.count("\n") == 1
    assert "tcp://127.0.0.1:7777" in done.stderr or "115200" in done.stderr, "it shows a right one"


def test_no_url_is_one_line(c_host: str) -> None:
    env = {name: value for name, value in os.environ.items() if name != "HANDPIECE_URL"}
    done = subprocess.run([c_host], env=env, capture_output=True, text=True, timeout=patience(), check=False)
    assert done.returncode == 2
    assert "HANDPIECE_URL is not set" in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "url",
    [
        "serial:///no/such/port",
        "serial:///dev/null",
        "serial:///dev/100%",
        "tcp://127.0.0.1:{closed}",
        "tcp://[::1]:{closed}",
    ],
)
def test_no_device_is_one_line(url: str, c_host: str) -> None:
    with socket.socket() as bound:  # taken by nobody else, and not listened at
        bound.bind(("127.0.0.1", 0))
        done = run(c_host, url=url.format(closed=bound.getsockname()[1]))
    assert done.returncode == 3
    assert done.stderr.startswith("c_host: no device") and done.stderr.count("\n") == 1
    assert not url.startswith("tcp") or "Connection refused" in done.stderr


TWO_ADDRESSES: Final = """
#include <netdb.h>
#undef getaddrinfo
int getaddrinfo(const char *, const char *, const struct addrinfo *, struct addrinfo **);
int two_addresses(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **found) {
    struct addrinfo *second;
    return getaddrinfo("127.0.0.2", port, hints, found) || getaddrinfo(host, port, hints, &second)
        || ((*found)->ai_next = second, 0);
}
"""


def test_each_address_of_a_name_is_tried(built: Path, program: Callable[[str], str], tmp_path: Path) -> None:
    """As of localhost, which may be ::1 and 127.0.0.1, where the device listens at the second alone."""
    (tmp_path / "two.c").write_text(TWO_ADDRESSES, encoding="utf-8")
    sources = [str(tmp_path / "two.c"), str(built / "c_host.c")]
    flags = ["-std=c99", "-D_POSIX_C_SOURCE=200809L", "-Dgetaddrinfo=two_addresses", f"-I{built}"]
    c_host = str(tmp_path / "c_host")
    subprocess.run([program("cc"), *flags, "-o", c_host, *sources], timeout=patience(), check=True)
    done = run(c_host, *QUICK, "--seed", "7")
    assert done.returncode == 0 and said(done.stdout)["agreed"] == "yes", done.stdout + done.stderr


def test_a_port_that_never_answers_is_no_device(c_host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        done = run(c_host, url=f"tcp://127.0.0.1:{silent.getsockname()[1]}")
    assert (done.returncode, done.stderr) == (3, "c_host: no link: no answer\n")


def test_ctrl_c_before_there_is_a_link(c_host: str) -> None:
    with ExitStack() as stack:
        silent = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        env = environment({"HANDPIECE_URL": f"tcp://127.0.0.1:{silent.getsockname()[1]}"})
        process = stack.enter_context(started([c_host], stderr=subprocess.PIPE, env=env))
        connection, _ = silent.accept()
        with connection:
            assert connection.recv(1) == b"\0"
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=patience())
    assert (process.returncode, errors) == (3, "c_host: no link: interrupted\n")


# --- the codec of its header against the golden frames ----------------------------------------------------------------

HARNESS: Final = r"""
#include <stdio.h>
#define HLP1_FRAMES
#include "hlp1.h"
static unsigned nibble(char c) { return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10); }
int main(void) {
    static const char *const names[] = {"", "good", "oversize", "cobs", "short", "crc", "length"};
    static char line[1 << 20];
    while (fgets(line, sizeof line, stdin)) {
        struct hlp1_decoder decoder = {{0}, 0, 0};
        struct hlp1_frame frame;
        for (const char *at = line; at[0] > ' '; at += 2) {
            enum hlp1_found found = hlp1_feed(&decoder, (uint8_t)(nibble(at[0]) << 4 | nibble(at[1])), &frame);
            if (found == HLP1_FOUND_NOTHING) continue;
            printf("%s", names[found]);
            if (found == HLP1_FOUND_FRAME) {
                uint8_t wire[HLP1_MAX_FRAME_SIZE];
                unsigned size = hlp1_encode(&frame, wire);
                printf(":");
                for (unsigned i = 0; i < size; i++) printf("%02x", wire[i]);
                printf(":%u:%u:", frame.header.message_id, frame.header.correlation_id);
                for (unsigned i = 0; i < frame.header.payload_size; i++) printf("%02x", frame.payload[i]);
            }
            printf(" ");
        }
        printf("\n");
    }
    return 0;
}
"""


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "chosen",
    [("plain.*", "wrong.*", "mixed.*", "odd.*"), pytest.param(("*",), marks=pytest.mark.nightly)],
    ids=["by day", "all"],
)
def test_the_kit_finds_no_rule_broken(c_host: str, chosen: tuple[str, ...]) -> None:
    options = [word for case in chosen for word in ("--case", case)]
    line = [sys.executable, "-P", "-m", "devicectl", "conform", "controller", *options, "--", c_host]
    done = subprocess.run(line, env=environment(), capture_output=True, text=True, timeout=patience(150), check=False)
    assert done.returncode == 0 and "verdict: passed" in done.stdout, done.stdout + done.stderr


@pytest.fixture(scope="module")
def decoded(
    built: Path, program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[list[str]], list[list[str]]]:
    """What the header's decoder finds in each of several runs of bytes, given as hex, byte by byte."""
    folder = tmp_path_factory.mktemp("harness")
    (folder / "harness.c").write_text(HARNESS)
    checks = ["-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]
    line = [program("cc"), "-std=c99", *warnings, *checks, "-I", str(built), "-o", "harness", "harness.c"]
    subprocess.run(line, cwd=folder, check=True, timeout=patience())

    def find(runs: list[str]) -> list[list[str]]:
        text = "".join(f"{one}\n" for one in runs)
        done = subprocess.run(
            [folder / "harness"], input=text, capture_output=True, text=True, timeout=patience(), check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        return [line.split() for line in done.stdout.splitlines()]

    return find


FRAMES: Final[dict[str, list[dict[str, Any]]]] = vectors.load("frames.json")


def test_golden_frames(decoded: Callable[[list[str]], list[list[str]]]) -> None:
    vectors = FRAMES["frames"]
    for vector, found in zip(vectors, decoded([vector["hex"] for vector in vectors]), strict=True):
        if vector["outcome"] == "bad frame":
            assert found == [vector["reason"]], vector["name"]
            continue
        (only,) = found
        outcome, wire, message_id, correlation_id, payload = only.split(":")
        header = vector["header"]
        assert (outcome, wire) == ("good", vector["hex"]), vector["name"]
        assert (int(message_id), int(correlation_id)) == (header["message_id"], header["correlation_id"])
        assert len(payload) == 2 * header["payload_size"]


def test_golden_streams(decoded: Callable[[list[str]], list[list[str]]]) -> None:
    ids = {frame["name"]: frame["header"]["message_id"] for frame in FRAMES["frames"] if frame["outcome"] == "message"}
    streams = FRAMES["streams"]
    for stream, found in zip(streams, decoded([stream["hex"] for stream in streams]), strict=True):
        names = [item.partition(":")[0] if item[:4] != "good" else int(item.split(":")[2]) for item in found]
        assert names == [ids.get(outcome, outcome) for outcome in stream["outcomes"]], stream["name"]


def test_garbage_is_no_frame(decoded: Callable[[list[str]], list[list[str]]]) -> None:
    rng = random.Random("garbage")
    runs = [rng.randbytes(rng.randrange(1, 4000)).hex() for _ in range(200)]
    assert not [item for found in decoded(runs) for item in found if item.startswith("good")]


# --- its sources ---------------------------------------------------------------------------------------------------


def test_the_example_stays_short() -> None:
    """The host is one file, and what else is C there is made."""
    assert {path.name for path in SOURCES.glob("*.[ch]")} == {"c_host.c", "hlp1.h"}
    lines = (SOURCES / "c_host.c").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= MOST_LINES and max(map(len, lines)) <= 120
    assert NOTICE in "\n".join(lines[:5])
