"""`devicectl replay`: a recording is executed again, and each packet held against what comes of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from devicectl.errors import DevicectlError
from protocols.text.escape import printable
from protocols.text.notice import NOTICE

if TYPE_CHECKING:
    from devicectl.campaign.replay import Replayed

EXIT_EQUAL: Final = 0
EXIT_DIFFERS: Final = 1
_Recording = Annotated[Path, typer.Argument(metavar="FILE.pcapng", help="What --record has written.")]


class RecordingError(DevicectlError):
    """A file that is no recording which can be replayed; its text is one line."""

    exit_code = 2


def replay(recording: _Recording) -> int:
    """Execute a recording again, and hold every packet against what it produces.

    The first packet that differs is shown decoded, expected beside found.

    Exit codes:

    0 every packet is equal

    1 one differs

    2 no recording, one that is cut short or was edited, or one of another version
    """
    replayed = _replay(recording)
    print(NOTICE)
    difference = replayed.difference
    if difference is None:
        print(f"{replayed.packets} packets, all equal; verdict: {replayed.verdict}")
        return EXIT_EQUAL
    print(f"{difference.where} differs, after {replayed.packets} packets")
    print(f"expected: {printable(difference.expected) or 'nothing: the recording has ended'}")
    print(f"found:    {printable(difference.found) or 'nothing: the run has ended'}")
    return EXIT_DIFFERS


def _replay(path: Path) -> "Replayed":
    from devicectl.campaign.replay import ReplayError
    from devicectl.campaign.replay import replay as execute
    from handpiece_shell.recording_file import read_recording
    from protocols.capture.packet import CaptureError

    try:
        with read_recording(str(path)) as capture:
            for _ in capture.packets:  # to its seal: what was cut short or edited is not executed
                pass
        with read_recording(str(path)) as capture:
            return execute(capture)
    except CaptureError as error:
        raise RecordingError(str(error)) from error
    except ReplayError as error:
        raise RecordingError(f"{path}: {error}") from error
