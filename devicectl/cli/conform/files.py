"""Files and lists of `devicectl conform`: the cases that are chosen, the baseline, the reports."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

import typer

from devicectl.cli.files import write_file
from devicectl.cli.tables import fold
from devicectl.conformance.baseline import BaselineError, read_baseline, write_baseline
from devicectl.conformance.case import Case, Need, matching, nearest
from devicectl.conformance.claims import ClaimsError, Stated, read_claims
from devicectl.conformance.device.catalogue import DEVICE_CASES
from devicectl.conformance.outcome import Outcome
from devicectl.conformance.report.junit import junit
from devicectl.conformance.report.page import page
from devicectl.errors import DevicectlError
from handpiece_shell.files import explain_no_file
from handpiece_shell.limited_file import read_limited
from protocols.capture.packet import JsonObject
from protocols.text.notice import NOTICE

_T = TypeVar("_T")

MAX_READ_BYTES: Final = 1 << 20
"""Bytes of a baseline or of claims; every case that there is, with a reason of a line, has a tenth."""


class Files(NamedTuple):
    """Files that a run writes; None for each that nobody asked for."""

    json: Path | None
    junit: Path | None
    html: Path | None
    record: Path | None
    baseline: Path | None


def choose(names: Sequence[str] | None, cases: Sequence[Case] = DEVICE_CASES) -> list[Case]:
    """Return the cases that names, patterns or rules choose; all where there are none.

    Raises:
        typer.BadParameter: one chooses no case.
    """
    if not names:
        return list(cases)
    chosen: set[str] = set()
    for name in names:
        found = matching(name, cases)
        if not found:
            near, one = nearest(name[:80], cases), cases[0]
            group = one.id.partition(".")[0]
            right = f"is it {near}?" if near else f"for example {one.id}, '{group}.*' or {one.rules[0]};"
            raise typer.BadParameter(f"no case is {name[:80]!r}; {right} --list shows all", param_hint="--case")
        chosen.update(found)
    return [case for case in cases if case.id in chosen]


def print_list(cases: Sequence[Case]) -> None:
    """Print cases with their rules and what they need."""
    print(NOTICE)
    for case in cases:
        needs = f"  needs {', '.join(need.word for need in Need if need in case.needs)}" if case.needs else ""
        print(fold(f"{case.id:30} {case.level:6} {' '.join(case.rules)}  {case.title}{needs}"))
    print(f"{len(cases)} cases")
    for need in Need:
        if any(need in case.needs for case in cases):
            print(fold(f"needs {need.word:8} {need}"))


def read_known(path: Path | None, cases: Sequence[Case] = DEVICE_CASES) -> dict[str, str]:
    """Return what a baseline knows of these cases; nothing where there is none.

    Raises:
        typer.BadParameter: it cannot be read, or is none.
    """
    names = {case.id for case in cases}
    return {} if path is None else _read("--baseline", path, lambda text: read_baseline(text, names))


def read_stated(path: Path | None, cases: Sequence[Case] = DEVICE_CASES) -> Stated:
    """Return the claims of a file about the end that these cases try; none where there is no file.

    Raises:
        typer.BadParameter: it cannot be read, or has none.
    """
    return Stated() if path is None else _read("--claims", path, lambda text: read_claims(text, cases))


def _read(option: str, path: Path, read: Callable[[str], _T]) -> _T:
    """Return what a file that an option names has.

    Raises:
        typer.BadParameter: it cannot be read, or is not what it should be.
    """
    try:
        return read(read_limited(path, MAX_READ_BYTES).decode())
    except (OSError, UnicodeDecodeError) as error:
        reason = explain_no_file(f"read {path}", error) if isinstance(error, OSError) else f"{path} is no text"
        raise typer.BadParameter(reason, param_hint=option) from error
    except (BaselineError, ClaimsError) as error:
        raise typer.BadParameter(f"{path}: {error}", param_hint=option) from error


def write_reports(files: Files, data: JsonObject, outcomes: Sequence[Outcome]) -> None:
    """Write the files of a run.

    Raises:
        DevicectlError: one takes no more.
    """
    write_file("--json", files.json, json.dumps(data, indent=1, ensure_ascii=False).encode() + b"\n")
    write_file("--junit", files.junit, junit(data))
    write_file("--html", files.html, page(data).encode())
    write_file("--write-baseline", files.baseline, write_baseline(outcomes).encode())


def write_recording(folder: Path, case: str, data: bytes) -> Path:
    """Write the recording of a case into a folder, which is made.

    Raises:
        DevicectlError: it cannot be written.
    """
    path = folder / f"{case}.pcapng"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        raise DevicectlError(f"--record: {explain_no_file(f'write {path}', error)}") from error
    return path
