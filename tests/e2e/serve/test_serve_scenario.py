"""`firmware-sim serve --scenario`: a stranger's host meets the faults; one that never fired fails the run.

The host is `tests.client`, which knows nothing of faults; its exchange asks again for what it does not hear.
"""

import contextlib
import json
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.clock import monotonic
from firmware_sim.replay import replay_device
from handpiece_shell.recording_file import read_recording
from protocols.language import messages as M
from protocols.language.enums import Code, Role, Stream
from tests.client import Client, serial_port, tcp
from tests.e2e.processes import wait_until
from tests.patience import deadline
from tests.programs import Served, firmware_sim, serve

TCP = ("--tcp", "127.0.0.1:0")


def written(folder: Path, *faults: dict[str, Any], **more: Any) -> str:
    path = folder / "scenario.yaml"
    path.write_text(json.dumps({"seed": 7, **more, "faults": faults}), encoding="utf-8")  # JSON is YAML, too
    return str(path)


@contextlib.contextmanager
def served(folder: Path, *faults: dict[str, Any], transport: tuple[str, ...] = TCP) -> Iterator[Served]:
    """A device under faults, all of which have fired when it ends; its recording repeats them."""
    report, record = folder / "report.json", folder / "record.pcapng"
    kept = ("--report", str(report), "--record", str(record))
    with serve(*transport, "--scenario", written(folder, *faults), *kept) as device:
        yield device
        assert device.stop() == 0
    assert_repeats(record, *faults)
    entries = json.loads(report.read_text(encoding="utf-8"))["faults"]
    assert [entry["fault"] for entry in entries] == [fault["fault"] for fault in faults]
    assert all(entry["fired"] and entry["began_s"] >= 0 for entry in entries), entries


def assert_repeats(record: Path, *faults: dict[str, Any]) -> None:
    """Hold a new device, under the same faults, to a recording."""
    with read_recording(str(record)) as capture:
        assert replay_device(capture) is None
        assert [(one["fault"], one["kind"]) for one in sorted(capture.comment["faults"], key=itemgetter("fault"))] == [
            (index, fault["fault"]) for index, fault in enumerate(faults)
        ]


SPOILED: dict[str, dict[str, Any]] = {
    "drop": {},
    "drop of an answer": {"fault": "drop", "when": 'frame("ECHO_DONE", 1)'},
    "flip": {"bits": 3},
    "insert": {"bytes": 8},
    "duplicate": {},
    "reorder": {"by_ms": 5},
    "latency": {"added_ms": 5, "for_ms": 50},
    "jitter": {"most_ms": 5, "for_ms": 50},
    "bandwidth": {"bytes_per_s": 20_000, "for_ms": 50},
    "mute": {"for_ms": 50, "direction": "device"},
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_host_gets_over_each_fault_of_single_pieces(tmp_path: Path, name: str) -> None:
    fault = {"fault": name, "when": 'frame("ECHO", 2)', **SPOILED[name]}
    with served(tmp_path, fault) as device, tcp(device.tcp) as host:
        host.link()
        for number in range(4):
            host.echo(bytes([number]) * 20)


def closed(host: Client) -> bool:
    """Return True if the device's end of the connection breaks."""
    try:
        host.pump(lambda: False)
    except (AssertionError, OSError):
        return True
    return False


def linked_again(device: Served) -> bool:
    """Return True if a new connection gets a link; a connection that is refused has none."""
    try:
        with tcp(device.tcp) as host:
            host.link()
            host.echo()
    except (AssertionError, OSError):
        return False
    return True


@pytest.mark.parametrize(
    "fault",
    [{"fault": "disconnect"}, {"fault": "half_open", "unaware": "device"}, {"fault": "half_open", "unaware": "host"}],
    ids=["both", "unaware device", "unaware host"],
)
def test_a_connection_is_cut_and_another_one_has_a_link(tmp_path: Path, fault: dict[str, Any]) -> None:
    with served(tmp_path, {**fault, "when": 'frame("ECHO", 2)', "for_ms": 300}) as device, tcp(device.tcp) as host:
        host.link()
        host.echo()
        host.exchange.submit(M.Echo(data=b"never answered"), monotonic())
        assert closed(host)
        wait_until(lambda: linked_again(device), "a new link")


def test_a_terminal_is_hung_up_and_there_again_under_its_name(tmp_path: Path) -> None:
    link = tmp_path / "handpiece"
    fault = {"fault": "disconnect", "when": 'frame("ECHO", 2)', "for_ms": 300}
    with served(tmp_path, fault, transport=("--pty", "--link", str(link))) as device:
        with serial_port(device.pty) as host:
            host.link()
            host.echo()
            host.exchange.submit(M.Echo(data=b"never answered"), monotonic())
            assert closed(host)
        wait_until(link.exists, "the name")
        with serial_port(device.pty) as host:
            host.link()
            host.echo()


@pytest.mark.parametrize("kind", ["reboot", "brown_out"])
def test_a_device_that_lost_its_power_has_booted_again(tmp_path: Path, kind: str) -> None:
    with served(tmp_path, {"fault": kind, "when": 'frame("ECHO", 2)'}) as device, tcp(device.tcp) as host:
        before = host.link()
        host.echo()
        host.exchange.submit(M.Echo(data=b"the last one"), monotonic())
        wait_for_loss(host)
        after = host.link()
        assert after.boot_count == before.boot_count + 1


@pytest.mark.parametrize("kind", ["torn_write", "lost_write", "short_write"])
def test_a_memory_that_fails_costs_a_boot_and_not_the_program(tmp_path: Path, kind: str) -> None:
    with served(tmp_path, {"fault": kind, "when": "write(1)"}) as device:
        wait_until(lambda: linked_again(device), "a new link")


def test_a_fault_that_fires_is_told_on_standard_error(tmp_path: Path) -> None:
    path = written(tmp_path, {"fault": "duplicate", "when": 'frame("ECHO", 1)'})
    with serve(*TCP, "--scenario", path) as device, tcp(device.tcp) as host:
        host.link()
        host.echo()
        assert device.process.stderr is not None
        assert device.process.stderr.readline() == 'firmware-sim: fault 1 fired: duplicate, when frame("ECHO", 1)\n'


def test_a_fault_that_never_fired_fails_the_run_and_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, {"fault": "drop", "when": 'frame("COUNT", 30)'})
    with serve(*TCP, "--scenario", path) as device:
        assert device.stop() == 1
    done = firmware_sim("exec", "--scenario", path, "--", "true")
    assert done.returncode == 1
    assert 'firmware-sim: --scenario: fault 1 never fired: drop, when frame("COUNT", 30)' in done.stderr


def test_parameters_seed_and_consumables_are_the_scenario_s(tmp_path: Path) -> None:
    path = written(tmp_path, start={"parameters": {"needles": 4, "anesthesia_wait_s": 1}, "cartridge_cycles": 9_000})
    record = tmp_path / "record.pcapng"
    line = (*TCP, "--scenario", path, "--param", "needles=2", "--record", str(record))
    with serve(*line) as device, tcp(device.tcp) as host:
        assert device.said["seed"] == 7
        assert device.said["parameters"] == {"needles": 2, "anesthesia_wait_s": 1}
        host.link()
        host.ask(M.StreamSet(stream=Stream.STATE, interval_ms=20))
        seen = host.await_told(M.TelemetryState)
        assert isinstance(seen, M.TelemetryState) and seen.cartridge_cycles == 9_000
        assert device.stop() == 0
    assert_repeats(record)


REFUSED: dict[str, tuple[dict[str, Any], tuple[str, ...], str]] = {
    "a key": ({"fault": "dorp"}, TCP, "faults[0].fault: there is no fault 'dorp'; did you mean drop?"),
    "a trigger": ({"fault": "drop", "when": "cycle = 3"}, TCP, "faults[0].when: "),
    "the host's": ({"fault": "host_crash"}, TCP, "faults[0].fault: no host_crash here: it is the host's own"),
    "the host's moment": (
        {"fault": "drop", "when": "write(9) or commit(2)"},
        TCP,
        "faults[0].when: commit never happens",
    ),
    "a file's moment": (
        {"fault": "drop", "when": "write(9)"},
        (*TCP, "--nvm", "a.nvm"),
        "faults[0].when: write is counted",
    ),
    "a needle": (
        {"fault": "clog", "needle": 3},
        TCP,
        "faults[0].needle: must be from 0 to 2: this device has 3 needles",
    ),
    "a needle less": (
        {"fault": "clog", "needle": 1},
        (*TCP, "--param", "needles=1"),
        "faults[0].needle: must be 0: this device has 1 needle",
    ),
    "no broker": ({"fault": "broker_killed"}, TCP, "there is no broker; serve with --mqtt"),
    "a file": ({"fault": "torn_write"}, (*TCP, "--nvm", "a.nvm"), "it would spoil the file of --nvm"),
    "a broker's": ({"fault": "broker_killed"}, ("--mqtt", "mqtt://127.0.0.1:9/a/b"), "do it to your broker"),
    "no bytes": ({"fault": "flip"}, ("--mqtt", "mqtt://127.0.0.1:9/a/b"), "a broker changes no byte"),
    "half open": ({"fault": "half_open"}, ("--mqtt", "mqtt://127.0.0.1:9/a/b"), "mute and disconnect are near it"),
}


@pytest.mark.parametrize(("fault", "options", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_in_one_line_before_anything_starts(
    tmp_path: Path, fault: dict[str, Any], options: tuple[str, ...], reason: str
) -> None:
    done = firmware_sim("serve", *options, "--scenario", written(tmp_path, fault), cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"firmware-sim: --scenario: {tmp_path}/scenario.yaml: line 1, column ")
    assert reason in done.stderr
    assert not (tmp_path / "a.nvm").exists()


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    done = firmware_sim("serve", "--scenario", "missing.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr == (
        "firmware-sim: --scenario: missing.yaml: cannot be read: No such file or directory; "
        "name a scenario in YAML or JSON\n"
    )


def injection(fault: str, when: str = "") -> M.FaultInject:
    values = {f"value_{number}": 0.0 for number in range(5)}
    return M.FaultInject(fault=fault, when=when, given=0, **values)


def effects(host: Client, fault_id: int) -> int:
    found = host.ask(M.FaultGet(fault_id=fault_id))
    assert isinstance(found, M.FaultGetDone)
    return found.effects


def test_a_viewer_injects_faults_of_wire_and_power_into_a_device_without_a_scenario(tmp_path: Path) -> None:
    record = tmp_path / "record.pcapng"
    with serve(*TCP, "--record", str(record)) as device, tcp(device.tcp, role=Role.VIEWER) as host:
        before = host.link()
        assert host.ask(injection("drop", 'frame("ECHO", 2)')) == M.FaultInjectDone(fault_id=1)
        host.echo()
        assert effects(host, 1) == 0
        host.echo()
        assert effects(host, 1) == 1
        refused = host.ask(injection("broker_killed"))
        assert isinstance(refused, M.Refused) and refused.code is Code.E_UNSUPPORTED
        assert host.ask(M.PowerCut(for_ms=100)) == M.PowerCutDone(for_ms=100)
        wait_for_loss(host)
        assert host.link().boot_count == before.boot_count + 1
        assert device.stop() == 0
    assert_repeats(record, {"fault": "drop"}, {"fault": "brown_out"})


def wait_for_loss(host: Client) -> None:
    last = deadline()
    while host.lost is None and monotonic() < last:
        with contextlib.suppress(AssertionError):
            host.pump(lambda: host.lost is not None)
