"""`devicectl check`: the judges of a campaign over a stored capture."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from devicectl.errors import DevicectlError
from protocols.text.escape import printable
from protocols.text.notice import NOTICE

if TYPE_CHECKING:
    from devicectl.campaign.stored.check import Checked, Judged

EXIT_RIGHT: Final = 0
EXIT_WRONG: Final = 1
MAX_SHOWN: Final = 20
"""Breaches that are printed; with --json all are there."""
_TAKEN: Final = "taken is pcapng of link type 147 (USER0) with directions, as --record and `devicectl monitor` write it"

_Capture = Annotated[Path, typer.Argument(metavar="FILE.pcapng", help="A recording, or a capture of link type 147.")]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output instead.", metavar="")]


class NoCaptureError(DevicectlError):
    """A file in which nothing can be judged; its text is one line."""

    exit_code = 2


def check(capture: _Capture, as_json: _Json = False) -> int:
    """Judge a stored capture by the rules of the protocol, from whomever it comes.

    A judge that needs what the capture does not have is skipped, with the reason;
    that never counts as right. A capture that was cut short is judged up to there.

    Exit codes:

    0 no judge has found a breach

    1 one has

    2 nothing can be judged: no capture, one of another link type or protocol, or an empty one
    """
    checked = _check(capture)
    if as_json:
        print(json.dumps(_as_json(capture, checked)))
    else:
        print("\n".join(map(printable, _lines(capture, checked))))
    return EXIT_WRONG if checked.breaches else EXIT_RIGHT


def _check(path: Path) -> "Checked":
    from devicectl.campaign.stored.check import NothingToJudgeError
    from devicectl.campaign.stored.check import check as judge
    from handpiece_shell.recording_file import read_recording
    from protocols.capture.packet import CaptureError

    try:
        with read_recording(str(path), of_anybody=True) as capture:
            return judge(capture)
    except CaptureError as error:
        raise NoCaptureError(f"{error}; {_TAKEN}") from error
    except NothingToJudgeError as error:
        raise NoCaptureError(f"{path}: {error}; {_TAKEN}") from error


def _lines(path: Path, checked: "Checked") -> list[str]:
    made_by = f", made by {checked.program}" if checked.program else ""
    lines = [NOTICE, f"{path}: {checked.packets} packets in {checked.duration_us / 1e6:.3f} s{made_by}"]
    if checked.cut:
        lines.append(f"NOT WHOLE, and judged up to there: {checked.cut}")
    lines += [f"  {count} {what}" for what, count in sorted(checked.counts.items())]
    for judge in checked.judges:
        lines += _of_judge(judge)
    for breach in checked.breaches[:MAX_SHOWN]:
        lines.append(f"{breach.at_us / 1e6:12.6f} s  {breach.judge}: {breach.sentence}")
    if len(checked.breaches) > MAX_SHOWN:
        lines.append(f"and {len(checked.breaches) - MAX_SHOWN} more; --json has all")
    return [*lines, _verdict(checked)]


def _of_judge(judge: "Judged") -> list[str]:
    found = f"  {judge.breaches} breaches" if judge.breaches else "  no breach" if judge.rules else ""
    lines = [f"{judge.name:16} {judge.state:8}{found}".rstrip()]
    reasons: dict[str, list[str]] = {}
    for about, reason in judge.skipped.items():
        reasons.setdefault(reason, []).append(about)
    return lines + [f"{'':17}skipped {', '.join(abouts)}: {reason}" for reason, abouts in reasons.items()]


def _verdict(checked: "Checked") -> str:
    skipped = sum(judge.state == "skipped" for judge in checked.judges)
    said = f"{len(checked.breaches)} breaches" if checked.breaches else "no breach"
    return f"verdict: {said}; {len(checked.judges) - skipped} judges judged, {skipped} were skipped"


def _as_json(path: Path, checked: "Checked") -> dict[str, object]:
    judges = [
        {
            "name": judge.name,
            "state": judge.state,
            "breaches": judge.breaches,
            "rules": judge.rules,
            "skipped": [{"rule": about, "reason": reason} for about, reason in judge.skipped.items()],
        }
        for judge in checked.judges
    ]
    return {
        "notice": NOTICE,
        "file": str(path),
        "program": checked.program or None,
        "packets": checked.packets,
        "duration_us": checked.duration_us,
        "not_whole": checked.cut or None,
        "verdict": "wrong" if checked.breaches else "right",
        "judges": judges,
        "breaches": [breach._asdict() for breach in checked.breaches],
        "counts": dict(sorted(checked.counts.items())),
    }
