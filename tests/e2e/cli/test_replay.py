"""`devicectl replay` of what real programs have recorded."""

from pathlib import Path

import pytest

from devicectl.cli.program import call
from tests.e2e.sessions import PARAMETERS
from tests.programs import serve


def test_a_served_device_is_executed_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "device.pcapng"
    with serve("--tcp", "127.0.0.1:0", "--record", str(file), "--seed", "7", *PARAMETERS) as device:
        log = str(tmp_path / "log.sqlite")
        assert call(["run", "--device", device.urls[0], "--target-cores", "3", "--log", log]) == 0
    assert call(["replay", str(file)]) == 0
    assert "all equal" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "an empty file"), (b"# devicectl", "expected pcapng"), (bytes.fromhex("d4c3b2a1"), "older format pcap")],
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
