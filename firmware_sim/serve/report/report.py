"""The report of a device's run: what each host did and how that went, as JSON or as text.

Law: one object holds it all; the text says the same, line by line. The file appears whole, at the end.
"""

import json
from collections.abc import Iterator
from typing import Final

from firmware_sim.commands.statements import FIRMWARE_VERSION, MODEL_VERSION
from firmware_sim.device import Device
from firmware_sim.model.interlocks import ALARMS
from firmware_sim.serve.errors import OptionError
from firmware_sim.serve.real_time import OpenTap
from firmware_sim.serve.report.run import Run
from firmware_sim.serve.report.tally import NO_FAULT, Refusals, Tally, count_of
from firmware_sim.serve.report.watch import OTHER_HOSTS, Watch
from firmware_sim.serve.whole_file import WholeFile
from protocols.capture.packet import JsonObject
from protocols.language.enums import Ending
from protocols.language.units import SECOND, Micros
from protocols.language.version import PROTOCOL
from protocols.serial.diagnosis import Finding
from protocols.text.escape import printable, printable_json
from protocols.text.notice import NOTICE

Item = JsonObject


class ReportFile:
    """The file of a report; `.json` at the end of its name makes it one JSON object, anything else text."""

    def __init__(self, path: str) -> None:
        """Remove an earlier report, and see that there can be a new one.

        Raises:
            OptionError: the path cannot be used.
        """
        self.due = False
        """Set once there is something to report: a device that never answered leaves nothing behind."""
        if path == "-":
            raise OptionError("--report", "- is no file; for example report.txt or report.json")
        self._file = WholeFile("--report", path)

    def write(self, report: Item) -> None:
        """Let it appear, if it is due.

        Raises:
            ServeError: it cannot be written.
        """
        if not self.due:
            return
        is_json = self._file.path.suffix.lower() == ".json"
        text = printable_json(json.dumps(report, indent=2, ensure_ascii=False)) + "\n" if is_json else to_text(report)
        self._file.write(text)


class Report:
    """The report of one device, from its boot on."""

    def __init__(self, device: Device, first_event_no: int, inner: OpenTap | None = None) -> None:
        """Watch `device`; `first_event_no` is the first journal record of this run, `inner` the trace."""
        self._device = device
        self._watch = Watch(device, first_event_no, inner)
        self.open_tap: OpenTap = self._watch.open_tap

    def make(self, now: Micros) -> Item:
        """The report so far, made of what JSON has."""
        device, watch = self._device, self._watch
        watch.run.fold()
        hosts = list(watch.hosts.values())
        return {
            "notice": NOTICE,
            "simulated": True,
            "ok": bool(hosts) and all(tally.ok for tally in (*hosts, *watch.strangers.values())),
            "seed": device.seed,
            "serial": device.serial,
            "firmware_version": FIRMWARE_VERSION,
            "model_version": MODEL_VERSION,
            "protocol": PROTOCOL,
            "uptime_s": device.board.uptime_ms(now) / 1000,
            **_verdict(_together(hosts, list(watch.strangers.values()))),
            "hosts": [_host(tally) for tally in hosts],
            "never_linked": [_host(tally) for tally in watch.strangers.values()],
            "device": _device(device, watch.run),
        }


def _together(hosts: list[Tally], strangers: list[Tally]) -> list[Finding]:
    """Return the sums over all hosts."""
    if hosts:
        return []
    if not strangers:
        return [Finding("nobody", "Nobody said anything to the device.")]
    if any(one.hellos for one in strangers):
        return [Finding("no_link", "No host was granted a link.")]
    return [Finding("no_hello", "No host ever said HELLO.")]


def _verdict(findings: list[Finding]) -> Item:
    """Sentences for people, and beside each the code that a program branches on."""
    return {"verdict": [one.sentence for one in findings], "codes": [one.code for one in findings]}


def faults(report: Item) -> list[str]:
    """The codes for which a report is not ok, each once, in its order."""
    found = [*report["codes"]]
    for host in (*report["hosts"], *report["never_linked"]):
        found += [code for code in host["codes"] if code not in NO_FAULT]
    return list(dict.fromkeys(found))


def _host(tally: Tally) -> Item:
    known: Item = {
        "host_id": "others" if tally.host_id == OTHER_HOSTS else tally.host_id,
        "role": tally.role.name.lower(),
        "links": tally.links,
        "linked_s": round(tally.linked_us / SECOND, 3),
        "leases_expired": {"while_armed": tally.leases_expired_armed, "at_rest": tally.leases_expired_idle},
    }
    return {
        **({} if tally.host_id is None else known),
        "transports": tally.transports,
        "ok": tally.ok,
        **_verdict(tally.findings()),
        "frames": {
            "received": tally.frames_received,
            "sent": tally.frames_sent,
            "echoed": tally.echoes,
            "received_again": tally.retransmits,
            "answered_from_memory": tally.replays,
        },
        "bad_frames": {reason.value: count for reason, count in tally.heard.bad.most_common()},
        "naks": [{"code": code.name, **_seen(seen)} for code, seen in tally.naks.items()],
        "refusals": [
            {"code": code.name, "interlock": interlock, **_seen(seen)}
            for (code, interlock), seen in tally.refusals.items()
        ],
        "commands": dict(tally.commands.most_common()),
        "motions": {"failed": tally.failed, "aborted": tally.aborted},
    }


def _seen(seen: Refusals) -> Item:
    return {"count": seen.count, "of": dict(seen.commands.most_common()), "first": seen.sentence}


def _device(device: Device, run: Run) -> Item:
    session = device.nvm.session
    return {
        "state": device.board.state.name,
        "sessions_opened": len(run.sessions_opened),
        "sessions_closed": [
            {
                "session_no": closed.session_no,
                "reason": closed.reason.name.lower(),
                "cycles": closed.cycles,
                "cores_counted": closed.cores_counted,
            }
            for closed in run.sessions_closed
        ],
        "session_open": None if session is None else session.session_no,
        "cycles": {
            "total": run.endings.total(),
            **{ending.name.lower(): run.endings[ending] for ending in _ENDINGS},
        },
        "punctures": run.punctures,
        "cores_counted": run.cores_counted,
        "truth": {"cores_evacuated": run.cores_evacuated},
        "alarms": [
            {"alarm": ALARMS[code].label, "raised": count, "sentence": ALARMS[code].sentence}
            for code, count in sorted(run.alarms.items())
        ],
    }


_ENDINGS: Final = (Ending.COMPLETED, Ending.ABORTED, Ending.AMBIGUOUS)


# --- text ----------------------------------------------------------------------------------------------------------


def to_text(report: Item) -> str:
    """The report for people to read."""
    lines = [
        report["notice"],
        f"simulated handpiece {report['serial']}, seed {report['seed']}, firmware {report['firmware_version']}, "
        f"model {report['model_version']}, {report['protocol']}, up for {report['uptime_s']:.1f} s",
        *report["verdict"],
    ]
    for host in report["hosts"]:
        host_id = host["host_id"]
        name = f"host 0x{host_id:08X}" if isinstance(host_id, int) else "other hosts"
        lines += ["", f"{name}, {host['role']}, by {', '.join(host['transports'])}", *_host_lines(host)]
    for host in report["never_linked"]:
        lines += ["", f"by {', '.join(host['transports'])}, never linked", *_host_lines(host)]
    lines += ["", "device", *_device_lines(report["device"])]
    if "faults" in report:
        lines += ["", "faults", *(_row(fault["fault"], _fault(fault)) for fault in report["faults"])]
    return "".join(f"{printable(line)}\n" for line in lines)  # a sentence may repeat what a host sent


def _host_lines(host: Item) -> Iterator[str]:
    for sentence in host["verdict"]:
        yield f"  {sentence}"
    if "links" in host:
        expired = host["leases_expired"]
        yield _row("links", f"{host['links']}, {host['linked_s']:.1f} s in all")
        yield _row("leases expired", f"{expired['while_armed']} while armed, {expired['at_rest']} at rest")
    frames = host["frames"]
    yield _row("frames", f"{frames['received']} received, {frames['sent']} sent")
    if frames["echoed"]:
        yield _row("echoed", f"{frames['echoed']} of the device's own came back")
    again = f"{frames['received_again']} received again, {frames['answered_from_memory']} answered from memory"
    yield _row("retries", again)
    yield _row("bad frames", _counts(host["bad_frames"]))
    for nak in host["naks"]:
        yield _row("NAK", f"{nak['code']} {nak['count']} ({_counts(nak['of'])}): {nak['first']}")
    for refusal in host["refusals"]:
        interlock = f" {refusal['interlock']}" if refusal["interlock"] else ""
        counts = f"{refusal['count']} ({_counts(refusal['of'])})"
        yield _row("refused", f"{refusal['code']}{interlock} {counts}: {refusal['first']}")
    yield _row("motions", f"{host['motions']['failed']} failed, {host['motions']['aborted']} aborted")
    yield _row("commands", _counts(host["commands"]))


def _device_lines(device: Item) -> Iterator[str]:
    cycles = device["cycles"]
    yield _row("state", device["state"])
    closed = [
        f"{one['session_no']} {one['reason']} "
        f"({count_of(one['cores_counted'], 'core')} in {count_of(one['cycles'], 'cycle')})"
        for one in device["sessions_closed"]
    ]
    yield _row("sessions", f"{device['sessions_opened']} opened, closed: {', '.join(closed) or 'none'}")
    yield _row("session open", "none" if device["session_open"] is None else str(device["session_open"]))
    endings = ", ".join(f"{cycles[ending.name.lower()]} {ending.name.lower()}" for ending in _ENDINGS)
    yield _row("cycles", f"{cycles['total']}: {endings}")
    yield _row("punctures", f"{device['punctures']}")
    yield _row("cores counted", f"{device['cores_counted']}")
    yield _row("evacuated", f"{device['truth']['cores_evacuated']} (truth, which no sensor sees)")
    for alarm in device["alarms"]:
        yield _row("alarm", f"{alarm['alarm']} raised {alarm['raised']}: {alarm['sentence']}")


def _fault(fault: Item) -> str:
    fired = f"fired {fault['effects']} x, from {fault['began_s']:.3f} s on" if fault["fired"] else "never fired"
    return f"{fired}: when {fault['when']}"


def _row(name: str, content: str) -> str:
    return f"    {name:14} {content}"


def _counts(counts: dict[str, int]) -> str:
    """`crc 4, short 1`; `none` where there are none."""
    return ", ".join(f"{name or 'unasked'} {count}" for name, count in counts.items()) or "none"
