"""Processor time of the trainers' station: `python -m benchmarks.station.load`.

One station, and eight, each with the automatic operator at 1x and three views that are read; and what a page loads. A
figure beyond its bound ends the program with 1.
"""

import contextlib
import importlib.resources
import json
import re
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from devicectl import clock
from protocols.language.units import SECOND, Micros

VIEWS: Final = ("trainee", "presenter", "instructor")
MEASURED: Final = Micros(10 * SECOND)
MAX_PERCENT: Final = {1: 12.0, 8: 60.0}
"""Stations -> percent of a core."""
MIN_UPDATES: Final = 10.0
"""Updates of each view, a second."""
MAX_SCRIPT_BYTES: Final = 60 * 1024


class Class(NamedTuple):
    """A server that runs."""

    pid: int
    host: str
    token: str

    def ask(self, path: str, **body: object) -> None:
        """Send a request of the control API."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"http://{self.host}{path}", json.dumps(body).encode(), headers)
        urllib.request.urlopen(request).close()

    def processor_s(self) -> float:
        """Return the seconds of processor time that it has taken; from Linux alone."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100


@contextlib.contextmanager
def held(stations: int) -> Iterator[Class]:
    """Hold a class of demonstrations."""
    line = [sys.executable, "-m", "devicectl", "station", "--demo", "--port", "0", "--no-open", "--log", "sqlite://"]
    with subprocess.Popen([*line, "--stations", str(stations)], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        found = None
        while found is None:
            found = re.search(r"instructor +http://(\S+)/enter/(\S+)", server.stdout.readline())
        try:
            yield Class(server.pid, found[1], found[2])
        finally:
            server.terminate()


def read(server: Class, path: str, counts: list[int]) -> None:
    """Read a view to its end, and count what comes."""
    headers = {"Authorization": f"Bearer {server.token}"}
    with connect(f"ws://{server.host}{path}", additional_headers=headers, compression=None) as page:
        page.send('{"type": "resume", "last": 0}')
        with contextlib.suppress(ConnectionClosed):
            for _ in page:
                counts.append(0)


def measure() -> dict[str, dict[str, float]]:
    """Return what each number of stations takes."""
    found = {str(stations): measured(stations) for stations in MAX_PERCENT}
    return {stations: {"percent": round(of[0], 1), "updates": round(of[1], 1)} for stations, of in found.items()}


def measured(stations: int) -> tuple[float, float]:
    """Return the percent of a core that so many stations take, and the fewest updates a second of a view."""
    counts: dict[str, list[int]] = {}
    with held(stations) as server:
        for number in range(1, stations + 1):
            server.ask(f"/api/stations/{number}/pace", running=True)
            for view in VIEWS:
                path = f"/ws/{view}/{number}"
                counts[path] = []
                threading.Thread(target=read, args=(server, path, counts[path]), daemon=True).start()
        wait(Micros(SECOND))
        before, begun, took = {path: len(got) for path, got in counts.items()}, clock.monotonic(), server.processor_s()
        wait(MEASURED)
        passed = (clock.monotonic() - begun) / SECOND
        percent = 100 * (server.processor_s() - took) / passed
        return percent, min(len(got) - before[path] for path, got in counts.items()) / passed


def wait(duration: Micros) -> None:
    """Let time pass."""
    threading.Event().wait(duration / SECOND)


def script_bytes(view: str) -> int:
    """Return the bytes of script that a view loads, by the imports of its module."""
    folder = importlib.resources.files("devicectl.station.server") / "pages"
    loaded, ahead = set[str](), {f"{view}.js"}
    while ahead:
        name = ahead.pop()
        loaded.add(name)
        ahead |= set(re.findall(r'from "\./(\w+\.js)"', (folder / name).read_text(encoding="utf-8"))) - loaded
    return sum(len((folder / name).read_bytes()) for name in loaded)


def main() -> int:
    """Measure, print, and judge."""
    met = True
    for stations, most in MAX_PERCENT.items():
        percent, updates = measured(stations)
        print(f"{stations} running, three views each: {percent:.1f} % of a core (most {most:g}), "
              f"{updates:.1f} updates a second (least {MIN_UPDATES:g})")  # fmt: skip
        met = met and percent <= most and updates >= MIN_UPDATES
    for view in ("index", *VIEWS):
        size = script_bytes(view)
        print(f"{view}: {size / 1024:.1f} KiB of script (most {MAX_SCRIPT_BYTES // 1024})")
        met = met and size < MAX_SCRIPT_BYTES
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
