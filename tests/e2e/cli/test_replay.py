"""`devicectl replay` of what real programs have recorded, and of what was done to it since."""

import gzip
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devicectl.campaign.recording_file import encode_trial
from devicectl.cli.program import call
from firmware_sim.faults.fault import declare
from protocols.capture.reader import read_capture
from tests.client import tcp
from tests.e2e.sessions import PARAMETERS
from tests.patience import patience
from tests.programs import serve
from tests.unit.devicectl.campaign.trials import tried


def test_a_served_device_is_executed_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "device.pcapng"
    with serve("--tcp", "127.0.0.1:0", "--record", str(file), "--seed", "7", *PARAMETERS) as device:
        log = str(tmp_path / "log.sqlite")
        assert call(["run", "--device", device.urls[0], "--target-cores", "3", "--log", log]) == 0
    assert call(["replay", str(file)]) == 0
    assert "all equal" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "an empty file"),
        (b"# devicectl", "expected pcapng"),
        (bytes.fromhex("d4c3b2a1"), "older format pcap"),
        (gzip.compress(b"a recording", mtime=0), "gzip has compressed"),
    ],
)
def test_what_is_no_recording_is_one_line(
    tmp_path: Path, content: bytes, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_bytes(content)
    assert call(["replay", str(tmp_path / "file")]) == 2
    err = capsys.readouterr().err
    assert says in err and len(err.splitlines()) == 1


def test_a_file_that_is_not_there_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(["replay", "nowhere.pcapng"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


# --- what was done to one ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def of_a_device(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short recording of a served device."""
    path = tmp_path_factory.mktemp("device") / "device.pcapng"
    with serve("--tcp", "127.0.0.1:0", "--record", str(path), "--seed", "7") as device:
        with tcp(device.tcp) as host:
            host.link()
            host.echo()
        assert device.stop() == 0
    return path


@pytest.fixture(scope="module")
def of_a_trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of a session under a fault."""
    path = tmp_path_factory.mktemp("trial") / "trial.pcapng"
    trial = tried(declare("drop", 'frame("COUNT", 2)'), cores=6)
    path.write_bytes(encode_trial(trial.scenario, trial.verdict, trial.recording))
    return path


def refused(path: Path, data: bytes, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line of exit code 2 for a file with these bytes."""
    path.write_bytes(data)
    assert call(["replay", str(path)]) == 2
    out, err = capsys.readouterr()
    assert not out and len(err.splitlines()) == 1, err
    return err


def borders(data: bytes) -> Iterator[int]:
    """Places between two blocks."""
    at = 0
    while at < len(data):
        yield at
        at += int.from_bytes(data[at + 4 : at + 8], "little")


def test_a_file_that_is_cut_anywhere_is_one_line(
    of_a_device: Path, of_a_trial: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for whole, step in ((of_a_device.read_bytes(), 1), (of_a_trial.read_bytes(), 9)):
        for at in list(borders(whole))[::step]:
            assert "expected" in refused(tmp_path / "cut", whole[:at], capsys)
            refused(tmp_path / "cut", whole[: at + 9], capsys)


def test_a_file_that_was_edited_is_one_line(
    of_a_device: Path, of_a_trial: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for whole in (of_a_device.read_bytes(), of_a_trial.read_bytes()):
        blocks = [whole[one:other] for one, other in zip([*borders(whole)], [*borders(whole)][1:], strict=False)]
        for edited in (
            whole.replace(b'"seed":7', b'"seed":8').replace(b'"seed":1', b'"seed":2'),
            whole.replace(b'"event":"', b'"Event":"', 1),
            b"".join([*blocks[:-2], blocks[-1], blocks[-2]]),
            b"".join([*blocks, blocks[-1]]),
        ):
            assert "it was" in refused(tmp_path / "edited", edited, capsys)
        newer = whole.replace(b'"recording":1', b'"recording":9')
        assert "version 9; expected version 1" in refused(tmp_path / "newer", newer, capsys)


TOOLS: dict[str, tuple[tuple[str, ...], str]] = {
    "classic pcap": (("editcap", "-F", "pcap"), "older format pcap"),
    "pcap with nanoseconds": (("editcap", "-F", "nsecpcap"), "older format pcap"),
    "snapped": (("editcap", "-s", "20"), "expected all of them"),
    "shifted": (("editcap", "-t", "1.5"), "it was edited"),
    "a part": (("editcap", "-r"), "it was cut short or edited"),
}


@pytest.mark.parametrize("name", TOOLS)
def test_what_a_tool_has_made_of_one_is_one_line(
    program: Callable[[str], str],
    name: str,
    of_a_device: Path,
    of_a_trial: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tool, *options), says = TOOLS[name]
    for path in (of_a_device, of_a_trial):
        made = tmp_path / "made"
        line = [program(tool), *options, str(path), str(made), *(["1-5"] if "-r" in options else [])]
        subprocess.run(line, check=True, capture_output=True, timeout=patience())
        assert says in refused(tmp_path / "copy", made.read_bytes(), capsys)


@pytest.mark.parametrize("options", [(), ("-a", "2:a remark"), ("--inject-secrets", "tls,{}")])
def test_what_a_tool_adds_is_passed_over(
    program: Callable[[str], str],
    options: tuple[str, ...],
    of_a_device: Path,
    of_a_trial: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    secrets = tmp_path / "secrets"
    secrets.write_text("CLIENT_RANDOM 00 00\n")
    for path in (of_a_device, of_a_trial):
        made = tmp_path / "made.pcapng"
        line = [program("editcap"), *(option.format(secrets) for option in options), str(path), str(made)]
        subprocess.run(line, check=True, capture_output=True, timeout=patience())
        assert made.read_bytes() != path.read_bytes()
        assert call(["replay", str(made)]) == 0
        assert "all equal" in capsys.readouterr().out


def test_a_capture_of_somebody_else_is_one_line(
    program: Callable[[str], str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hex").write_text("0000  61 62 63\n")
    line = [program("text2pcap"), "-l", "147", str(tmp_path / "hex"), str(tmp_path / "made")]
    subprocess.run(line, check=True, capture_output=True, timeout=patience())
    assert "no comment of ours" in refused(tmp_path / "copy", (tmp_path / "made").read_bytes(), capsys)


def test_a_device_that_was_killed_is_executed_up_to_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "killed.pcapng"
    with serve("--tcp", "127.0.0.1:0", "--record", str(path)) as device, tcp(device.tcp) as host:
        host.link()
        host.echo()
        device.kill()
    with path.open("rb") as file:
        assert read_capture(file.read).comment["verdict"] is None
    assert call(["replay", str(path)]) == 0
    assert "all equal" in capsys.readouterr().out
