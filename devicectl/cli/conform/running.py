"""A run of `devicectl conform` from its first case to its last file, of either end."""

import sys
from collections.abc import Callable, Mapping, Sequence

from devicectl import clock
from devicectl.cli.conform.files import Files, write_recording, write_reports
from devicectl.cli.conform.progress import Progress
from devicectl.cli.signals import taken_as_ctrl_c
from devicectl.cli.tables import fold
from devicectl.conformance.device.probe import Sent
from devicectl.conformance.outcome import Outcome, Tell, Word
from devicectl.conformance.report.lines import lines
from devicectl.conformance.report.recording import encode_case
from devicectl.conformance.report.summary import report_data
from devicectl.conformance.rules import Duty
from handpiece_shell.recording_file import versions
from handpiece_shell.streams import to_utf8

Keep = Callable[[Outcome, Sequence[Sent]], Outcome]
Held = tuple[Mapping[str, object], list[Outcome]]
"""Facts about the end that was judged, and the outcomes."""

_RECORDED = (Word.FAILED, Word.KNOWN)


def run(end: Duty, hold: Callable[[Keep, Tell], Held], files: Files, *, every: bool) -> int:
    """Hold a run, print and write its report; returns the exit code."""
    began = clock.monotonic()

    def keep(outcome: Outcome, pieces: Sequence[Sent]) -> Outcome:
        if files.record is None or outcome.word not in _RECORDED:
            return outcome
        path = write_recording(files.record, outcome.case.id, encode_case(outcome, pieces, versions()))
        return outcome._replace(recording=str(path))

    with taken_as_ctrl_c(), Progress(sys.stderr) as progress:  # what the run has started must end with it
        judged, outcomes = hold(keep, progress.tell)
    data = report_data(end, judged, outcomes, seconds=(clock.monotonic() - began) / 1e6, versions=versions())
    to_utf8(sys.stdout)
    for line in lines(data, every=every):
        print(fold(line))
    write_reports(files, data, outcomes)
    return 1 if data["verdict"] == "failed" else 0
