"""A run of `devicectl conform device` from its first frame to its last file."""

import sys
from collections.abc import Sequence

from devicectl import clock
from devicectl.cli.conform.files import Files, write_recording, write_reports
from devicectl.conformance.device.probe import Sent
from devicectl.conformance.device.session import Held, Wanted, hold
from devicectl.conformance.outcome import Outcome, Word
from devicectl.conformance.report.lines import lines
from devicectl.conformance.report.recording import encode_case
from devicectl.conformance.report.summary import report_data
from devicectl.conformance.rules import Duty
from handpiece_shell.recording_file import versions
from handpiece_shell.streams import to_utf8
from protocols.capture.packet import JsonObject

_RECORDED = (Word.FAILED, Word.KNOWN)


def run(wanted: Wanted, files: Files, *, every: bool) -> int:
    """Hold a run, print and write its report; returns the exit code."""
    began = clock.monotonic()

    def keep(outcome: Outcome, pieces: Sequence[Sent]) -> Outcome:
        if files.record is None or outcome.word not in _RECORDED:
            return outcome
        path = write_recording(files.record, outcome.case.id, encode_case(outcome, pieces, versions()))
        return outcome._replace(recording=str(path))

    held = hold(wanted, keep)
    data = _data(wanted, held, (clock.monotonic() - began) / 1e6)
    to_utf8(sys.stdout)
    for line in lines(data, every=every):
        print(line)
    write_reports(files, data, held.outcomes)
    return 1 if data["verdict"] == "failed" else 0


def _data(wanted: Wanted, held: Held, seconds: float) -> JsonObject:
    claims = held.claims
    judged = {
        "device": f"{wanted.url.scheme}://",
        "seed": wanted.url.seed,
        "model": claims.model,
        "serial": claims.serial,
        "firmware": claims.firmware,
        "minor": claims.minor,
        "simulated": claims.simulated,
        "slack_ms": wanted.slack_ms,
    }
    return report_data(Duty.DEVICE, judged, held.outcomes, seconds=seconds, versions=versions())
