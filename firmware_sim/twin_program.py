"""`firmware-sim twin`: a recording and a profile from files, the outcome on standard output and in a file.

0 the simulated device behaves like the recorded one
1 it says something else, or takes longer or shorter than the profile allows; the document cannot be written
2 nothing was compared: no recording that a twin can be made of, or no profile
"""

import hashlib
import json
from importlib import resources
from pathlib import Path
from typing import Final, NamedTuple

from firmware_sim import clock
from firmware_sim.serve.errors import OptionError
from firmware_sim.serve.whole_file import WholeFile
from firmware_sim.twin.conversation import TwinError, read_conversation
from firmware_sim.twin.profile import FORM, Profile, make_profile
from firmware_sim.twin.twin import SAME, compare, document, lines
from handpiece_shell.files import NamedFile, Use, find_clash
from handpiece_shell.recording_file import read_recording, versions
from handpiece_shell.values_file import read_values
from protocols.capture.packet import CaptureError
from protocols.text.escape import printable
from protocols.text.notice import NOTICE
from protocols.text.values import ValuesError, decode_values

DEFAULT: Final = "default.yaml"
"""Name of the profile that comes with the package, in `firmware_sim/twin`."""
_BLOCK: Final = 1 << 20


class Wanted(NamedTuple):
    """Arguments of the command: files by their names, None where there is none."""

    recording: str
    profile: str | None
    output: str | None
    as_json: bool


def run(wanted: Wanted) -> tuple[int, str]:
    """Compare; return the exit code and what to print.

    Raises:
        OptionError: a file cannot be read, or is not what it should be.
        ServeError: the document cannot be written.
    """
    _refuse_clash(wanted)
    profile = read_profile(wanted.profile)
    file = None if wanted.output is None else WholeFile("--output", wanted.output)
    try:
        with read_recording(wanted.recording) as capture:
            conversation = read_conversation(capture)
        twin = compare(conversation, profile)
    except CaptureError as error:
        raise OptionError("twin", str(error)) from error
    except TwinError as error:
        raise OptionError("twin", f"{wanted.recording}: {error}") from error
    made = document(
        twin,
        conversation,
        date=clock.wall().isoformat(timespec="seconds"),
        versions=versions(),
        recording={"file": Path(wanted.recording).name, "sha256": _hash_of(wanted.recording)},
        profile={"name": profile.name, "sha256": hash_of_profile(profile)},
    )
    text = json.dumps(made, indent=1) + "\n"
    if file is not None:
        file.write(text)
    shown = text if wanted.as_json else "\n".join((NOTICE, *(printable_lines(lines(twin))))) + "\n"
    return (0 if twin.verdict == SAME else 1), shown


def printable_lines(texts: list[str]) -> list[str]:
    """Return lines of which none can steer a terminal."""
    return [printable(line) for text in texts for line in text.split("\n")]


def read_profile(path: str | None) -> Profile:
    """Return a profile laid over the default one; that one alone where `path` is None.

    Raises:
        OptionError: it cannot be read, or a value in it cannot be.
    """
    raw = resources.files("firmware_sim").joinpath("twin", DEFAULT).read_bytes()
    below = make_profile(decode_values(raw, DEFAULT, FORM, is_json=False), DEFAULT)
    if path is None:
        return below
    try:
        return make_profile(read_values(Path(path), path, FORM), path).over(below)
    except ValuesError as error:
        raise OptionError("--profile", str(error)) from error


def hash_of_profile(profile: Profile) -> str:
    """Return the SHA-256 of all that a profile says, in whatever order and on whatever default it says it."""
    return hashlib.sha256(json.dumps(profile.model_dump(), sort_keys=True).encode()).hexdigest()


def _hash_of(path: str) -> str:
    found = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
    except OSError as error:
        raise OptionError("twin", f"{path}: {error.strerror}") from error
    return found.hexdigest()


def _refuse_clash(wanted: Wanted) -> None:
    files = [NamedFile("FILE.pcapng", wanted.recording, Use.READ)]
    if wanted.profile is not None:
        files.append(NamedFile("--profile", wanted.profile, Use.READ))
    if wanted.output is not None:
        files.append(NamedFile("--output", wanted.output, Use.WRITE))
    clash = find_clash(files)
    if clash is not None:
        raise OptionError(clash.option, clash.reason)
