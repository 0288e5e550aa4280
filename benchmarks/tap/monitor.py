"""Cost of `devicectl monitor` at 10,000 frames a second: what it adds to a round trip, its share of a core, its losses.

python -m benchmarks.tap.monitor [SECONDS]    prints it; the exit code is 1 where a bound is not met

ECHO frames go to a bare echo server at a fixed pace, through the monitor and beside it, at the same moments; each
answer is a frame too. The monitor decodes, counts and records all of them. A round trip passes the tap twice: a pass
costs half of the difference.

What the tap adds is told from what the machine does by groups of three that leave at one moment, in an order that goes
round: through the monitor, beside it, and beside it once more. The difference of the two beside is the machine's alone;
each share of it is subtracted from the same share of the difference of through and beside. `pass_us` is judged.
`round_trip_us` has the flood's own waiting for a core in it, and `machine_us` is what was subtracted: where it is near
the bound, the machine was too busy to tell. The tap's own wait for a core stays in: on two, it is most of p95.
"""

import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import tempfile
import timeit
from collections import deque
from pathlib import Path
from typing import Any, Final

from benchmarks.servers import echo_frames
from handpiece_shell.recording_file import read_recording

SECONDS: Final = 5.0
FRAMES_PER_S: Final = 10_000
BESIDE: Final = 10
"""One of so many requests goes beside the monitor."""
DIFFERENT: Final = 1_000
"""Frames that are prepared; they come again."""
MAX_PASS_US: Final = 100.0
MAX_CORES: Final = 1.0
_SHARES: Final = {"median": 0.5, "p95": 0.95}
START_S: Final = 30.0


class _Line:
    """A connection over which frames of one size come back; the time of each is known by its order."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), START_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.round_trips: list[float] = []
        self._sent: deque[tuple[float, int]] = deque()
        self._missing = 0

    def send(self, frame: bytes) -> None:
        """Send one."""
        self._sent.append((timeit.default_timer(), len(frame)))
        self.socket.sendall(frame)

    def receive(self) -> None:
        """Take what has come, and note the round trip of each frame that is complete."""
        data = self.socket.recv(65536)
        now = timeit.default_timer()
        self._missing += len(data)
        while self._sent and self._missing >= self._sent[0][1]:
            at, size = self._sent.popleft()
            self._missing -= size
            self.round_trips.append(now - at)

    @property
    def waits(self) -> bool:
        """True while an answer is missing."""
        return bool(self._sent)


def measure(seconds: float = SECONDS) -> dict[str, Any]:
    """Return the figures of one run."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        file = Path(folder) / "line.pcapng"
        earlier = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
        echo = subprocess.Popen([sys.executable, "-m", "benchmarks.peers.echo", "tcp", str(port)])
        line = ["monitor", "tcp://127.0.0.1:0", f"tcp://127.0.0.1:{port}", "--json", "--record", str(file)]
        monitor = subprocess.Popen([sys.executable, "-m", "devicectl", *line], stdout=subprocess.PIPE, text=True)
        try:
            assert monitor.stdout is not None
            url = json.loads(monitor.stdout.readline())["host"]
            through, beside, again = _Line(int(url.rpartition(":")[2])), _Line(port), _Line(port)
            processes = [monitor.pid, *_children(monitor.pid)]
            before = sum(map(_cpu_s, processes))
            begun = timeit.default_timer()
            sent = _drive(through, beside, again, seconds)
            wall = timeit.default_timer() - begun
            through.socket.close()
            monitor.send_signal(signal.SIGINT)
            said = json.loads(monitor.communicate(timeout=START_S)[0].splitlines()[-1])
            usage = resource.getrusage(resource.RUSAGE_CHILDREN)  # the monitor's two processes: what came late too
            cores = (usage.ru_utime + usage.ru_stime - earlier - before) / wall
        finally:
            for process in (monitor, echo):
                process.terminate()
                process.wait(START_S)
        with read_recording(str(file)) as capture:
            recorded = sum(len(packet.data) for packet in capture.packets)
    counted = said["host"]["frames"] + said["device"]["frames"]
    return {
        "frames_per_s": round(2 * sent / wall),
        "lost": 2 * sent - counted + said["unwatched"],
        "bytes_not_recorded": said["host"]["bytes"] + said["device"]["bytes"] - recorded,
        "cores": round(cores, 2),
        "round_trip_us": {"through": _quantiles(through.round_trips), "beside": _quantiles(beside.round_trips)},
        **_compare(through.round_trips[::BESIDE], beside.round_trips, again.round_trips),
    }


def _compare(through: list[float], beside: list[float], again: list[float]) -> dict[str, dict[str, float]]:
    """Return what one pass of the tap adds to samples of the same moments, and what was the machine's."""
    added = [one - other for one, other in zip(through, beside, strict=True)]
    machine = [one - other for one, other in zip(again, beside, strict=True)]
    passes, machines = {}, {}
    for name, share in _SHARES.items():
        machines[name] = round(_quantile(machine, share) / 2 * 1e6, 1)
        passes[name] = round(_quantile(added, share) / 2 * 1e6 - machines[name], 1)
    return {"pass_us": passes, "machine_us": machines}


def _drive(through: _Line, beside: _Line, again: _Line, seconds: float) -> int:
    """Send at a fixed pace; how many went through."""
    frames = echo_frames(1, DIFFERENT)
    gap = 2 / FRAMES_PER_S  # each is answered
    group = [through, beside, again]
    lines = {line.socket.fileno(): line for line in group}
    poller = select.epoll()
    for fd in lines:
        poller.register(fd, select.EPOLLIN)
    count = int(seconds / gap)
    begun = timeit.default_timer()
    for number in range(count):
        due = begun + number * gap
        while (ahead := due - timeit.default_timer()) > 0:
            for fd, _ in poller.poll(ahead if ahead > 0.0015 else 0):
                lines[fd].receive()
        if number % BESIDE == 0:
            group.append(group.pop(0))
            for line in group:
                line.send(frames[number % DIFFERENT])
        else:
            through.send(frames[number % DIFFERENT])
    while any(line.waits for line in group):
        for fd, _ in poller.poll(START_S):
            lines[fd].receive()
    return count


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _cpu_s(pid: int) -> float:
    """Seconds of a core that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def _quantiles(values: list[float]) -> dict[str, float]:
    return {name: round(_quantile(values, share) * 1e6, 1) for name, share in _SHARES.items()}


def main() -> int:
    """Measure once, and judge."""
    found = measure(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
    print(json.dumps(found, indent=2))
    whole = not found["lost"] and not found["bytes_not_recorded"]
    return 0 if whole and found["cores"] < MAX_CORES and found["pass_us"]["p95"] < MAX_PASS_US else 1


if __name__ == "__main__":
    sys.exit(main())
