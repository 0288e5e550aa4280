"""The exit code of `devicectl run` says whether both ends agree, and not only that the session was closed."""

import asyncio
import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

import devicectl
from devicectl import Plan
from devicectl.cli import call
from devicectl.log.errors import LogError
from devicectl.log.store import SessionLog
from devicectl.session import closing
from devicectl.session.count import Counts, Fold, Reconciliation


def run(*arguments: str | Path, code: int) -> dict[str, Any]:
    """Run to the exit code `code`; the JSON object that was printed."""
    out, said = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
        found = call(["run", "--json", *map(str, arguments)])
    assert found == code, said.getvalue()
    printed: dict[str, Any] = json.loads(out.getvalue())
    return printed


@pytest.fixture
def common(tmp_path: Path) -> tuple[str, str, str, str]:
    """A log, and a device whose memory outlives a run."""
    url = f"sim://?seed=7&anesthesia_wait_s=1&nvm={tmp_path / 'nvm'}"
    return ("--log", str(tmp_path / "log.sqlite"), "--device", url)


@pytest.fixture
def disagree(monkeypatch: pytest.MonkeyPatch) -> None:
    """The device closes a session, and the host finds that a core is missing."""

    def one_missing(fold: Fold, device: Counts) -> Reconciliation:
        return Reconciliation(False, ["cores_counted: one is missing"])

    monkeypatch.setattr(closing, "reconcile", one_missing)


def test_a_session_that_both_ends_agree_on_is_exit_0(common: tuple[str, ...]) -> None:
    summary = run("--target-cores", "30", *common, code=0)
    assert (summary["state"], summary["reconciled"]) == ("completed", True)


@pytest.mark.usefixtures("disagree")
def test_a_session_that_was_completed_and_not_reconciled_is_exit_1(common: tuple[str, ...]) -> None:
    summary = run("--target-cores", "30", *common, code=1)
    assert (summary["state"], summary["reconciled"]) == ("completed", False)
    assert summary["cores_counted"] >= 30


@pytest.mark.parametrize("how", ["--abandon", "--resume"])
@pytest.mark.usefixtures("disagree")
def test_a_session_that_was_taken_up_and_not_reconciled_is_exit_1(common: tuple[str, ...], how: str) -> None:
    asyncio.run(leave_open(Path(common[1]), common[3]))
    summary = run(how, *common, code=1)
    assert (summary["state"], summary["reconciled"]) == ("aborted" if how == "--abandon" else "completed", False)


@pytest.mark.parametrize("how", ["--abandon", "--resume"])
def test_a_session_that_was_taken_up_and_reconciled_is_exit_0(common: tuple[str, ...], how: str) -> None:
    asyncio.run(leave_open(Path(common[1]), common[3]))
    summary = run(how, *common, code=0)
    assert (summary["state"], summary["reconciled"]) == ("aborted" if how == "--abandon" else "completed", True)


async def leave_open(path: Path, url: str) -> None:
    """A session on the device and in the log, left as its log was taken away for a while."""
    moved = path.with_name("moved")
    with SessionLog.open(path) as log:
        async with devicectl.connect(url, log=log) as handpiece:
            with pytest.raises(LogError):
                async with handpiece.open_session(Plan(target_cores=120)) as session:
                    await session.confirm_anesthesia()
                    path.rename(moved)
                    async for _ in session.run():
                        pass
    moved.rename(path)
