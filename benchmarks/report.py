"""The results as a page for people."""

from collections.abc import Sequence
from typing import Any

from benchmarks.targets import judge


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _range(found: dict[str, Any], digits: int = 0) -> tuple[str, str]:
    return f"{found['median']:,.{digits}f}", f"{found['least']:,.{digits}f} - {found['most']:,.{digits}f}"


def page(results: dict[str, Any]) -> str:
    """Return the whole page."""
    machine = results["machine"]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    return (
        "\n\n".join(
            [
                "# Measured",
                "TRAINING SIMULATOR - NOT A MEDICAL DEVICE. Written by `make bench`.",
                *([_QUICK] if machine["quick"] else []),
                f"One run on one machine with {machine['cores']} cores ({machine['system']}, "
                f"{machine['architecture']}, "
                f"Python {machine['python']}, load {machine['load_before']} before it began). Each round runs every "
                "case once; ratios are made within a round, and only they mean anything elsewhere. "
                f"Versions: {versions}.",
                *_targets(results),
                *_session(results["session"]),
                *_campaign(results["campaign"]),
                *_trials(results["trials"]),
                *_servers(results["servers"]),
                *_gateway(results["gateway"]),
                *_codec(results["codec"]),
                *_mqtt(results["mqtt"]),
                *_lists(results["lists"]),
                *_station(results.get("station", {})),
                *_idle_device(results["idle_device_kib"]),
                *_instructions(results["instructions"]),
                *_plugin(results["plugin"]),
            ]
        )
        + "\n"
    )


_QUICK = "A quick run, of one round: it shows that every row is measured, and its figures are not to be compared."
_AWAKE = {
    True: "Processes of the lowest priority keep the cores awake meanwhile, for all alike: to wake a sleeping one "
    "takes longer than an answer does.",
    False: "Nothing keeps the cores awake meanwhile on this system, so that it is also measured how long they take to "
    "wake up.",
}


def _targets(results: dict[str, Any]) -> list[str]:
    words = {True: "yes", False: "**no**"}
    rows = []
    for target, figure, met in judge(results):
        bound = "" if target.most is None else f"at most {target.most:g}"
        bound = bound if target.least is None else f"at least {target.least:g}"
        reached = target.reached(figure)
        rows.append(
            (
                target.what,
                bound,
                "" if target.aim is None else f"{target.aim:g}",
                "not measured" if figure is None else f"{figure:.3g}",
                words[met] if bound and (figure is not None or not met) else "",
                "" if reached is None else "yes" if reached else "no",
            )
        )
    return [
        "## Targets",
        "A bound fails `make bench` where it is not met. An aim is what the work on speed was asked for: where it is "
        "not reached, this table says how far it is.",
        _table(("medians", "bound", "aim", "measured", "bound met", "aim reached"), rows),
    ]


def _session(found: dict[str, Any]) -> list[str]:
    session = found["session"]
    rows = [
        ("floor: as many bare frames, no logic, s", *_range(found["floor_s"], 2)),
        ("session: both ends, log on disk, s", *_range(found["session_s"], 2)),
        ("`devicectl run --json`, from start to exit, s", *_range(found["command_s"], 2)),
        ("session over floor", *_range(found["session_of_floor"], 2)),
        ("`devicectl run` over floor", *_range(found["command_of_floor"], 2)),
        ("`devicectl run --trace FILE` over the same without", *_range(found["traced_of_command"], 2)),
        *_compiled(found),
        ("session faster than real time", *_range(found["times_real_time"])),
    ]
    whole = sum(found["profile_s"].values())
    profile = [(part, f"{taken / whole:.0%}") for part, taken in found["profile_s"].items()]
    return [
        "## A default session in virtual time",
        f"Seed {session['seed']}: {session['cores_counted']:,} cores counted in {session['cycles']:,} cycles and "
        f"{session['session_seconds']:,.0f} s of device time; reconciled: {session['reconciled']}; a log of "
        f"{found['log_bytes'] / 1024:,.0f} KiB.",
        _table(("", "median", "range"), rows),
        "Where the time goes (cProfile, which makes small functions look dearer than they are):",
        _table(("part", "share"), profile),
    ]


def _compiled(found: dict[str, Any]) -> list[tuple[str, ...]]:
    if "compiled_s" not in found:
        return []
    return [
        ("core compiled: session, s", *_range(found["compiled_s"], 2)),
        ("core compiled: session over floor", *_range(found["compiled_of_floor"], 2)),
        ("core compiled: `devicectl run`, s", *_range(found["compiled_command_s"], 2)),
        ("core compiled: `devicectl run` over floor", *_range(found["compiled_command_of_floor"], 2)),
        ("core compiled: `--trace FILE` over the same without", *_range(found["compiled_traced_of_command"], 2)),
    ]


def _campaign(found: dict[str, Any]) -> list[str]:
    names = {
        "pure": "sessions a second and core",
        "compiled": "core compiled",
        "pure_logged": "with a log on disk",
        "compiled_logged": "with a log on disk, core compiled",
    }
    return [
        "## A campaign of short sessions",
        "One process, sessions one after the other, each of 20 cycles without a fault, with a device of its own; "
        "`anesthesia_wait_s` is 1, and every core is cut and counted. Sessions per second of processor time; "
        "with a log, all are in one.",
        _table(("", "median", "range"), [(names[name], *_range(rate, 1)) for name, rate in found.items()]),
    ]


def _trials(found: dict[str, Any]) -> list[str]:
    names = {
        "judged": "sessions a second and core, under faults and judged",
        "bare": "the same sessions, without faults and judges",
        "ratio": "the first over the second",
        "singles_s": "all single faults of a session of 2 cycles, s",
    }
    rows = [
        (f"{names[name]}{', core compiled' * (core == 'compiled')}", *_range(figure, 2))
        for core, of in found.items()
        for name, figure in of.items()
    ]
    return [
        "## A campaign under faults",
        "`devicectl campaign` as it is without options but 20 cycles a session: faults drawn from the usual profile, "
        "some five of which fire, and every judge. In turn with each, the same session in the same world and with the "
        "same log. Processor time of one process.",
        _table(("", "median", "range"), rows),
    ]


def _station(found: dict[str, Any]) -> list[str]:
    if not found:
        return ["## The trainers' station", "Not measured in this run."]
    times = [
        (f"{what}: {name}", *(f"{of[figure]:.0f}" for figure in ("median_ms", "p95_ms", "max_ms")))
        for what in ("press", "ready")
        for name, of in found.get(what, {}).items()
    ]
    back = [(part, f"{of['cpu_s']:.2f}", f"{of['wall_s']:.2f}") for part, of in found["rewind"].items()]
    load = [(stations, f"{of['percent']:.1f}", f"{of['updates']:.1f}") for stations, of in found["load"].items()]
    return [
        "## The trainers' station",
        "In Chromium, in ms: from a press of the trigger to the needles' motion on the trainee's page, and from the "
        "opening of a page to its first document. Wanted, of 95 %: less than 60 ms, and less than 1,000."
        if times
        else "The pages were not measured: Chromium is not installed.",
        *([_table(("", "median", "95 %", "most"), times)] if times else []),
        "Back to a part of a session of 10,000 cores, executed again; medians. Wanted: less than 3 s.",
        _table(("to", "processor time, s", "wall, s"), back),
        "Running stations at 1x with three views each; the updates are those of the view that has the fewest. Wanted: "
        "less than 12 % of a core for one and 60 % for eight, and 10 updates a second.",
        _table(("stations", "percent of a core", "updates a second"), load),
    ]


def _idle_device(kib: float) -> list[str]:
    return [
        "## A further idle device in a process",
        f"{kib:.1f} KiB, as Python's allocator counts them: without a link, with one port.",
    ]


def _instructions(found: dict[str, Any]) -> list[str]:
    if not found:
        return ["## Instructions", "Not counted: valgrind is not installed."]
    rows = [(name, f"{count:,.0f}") for name, count in found["millions"].items()]
    return [
        "## Instructions",
        "Counted by callgrind, pure Python, in millions; `make nightly` fails where one grows by 5 %. A session "
        f"takes {found['over_floor']:.2f} times the instructions of its floor, without the start of either.",
        _table(("", "millions"), rows),
    ]


def _servers(found: dict[str, Any]) -> list[str]:
    rows = []
    for key, rate in found["round_trips_per_s"].items():
        name, wire = key.split("/")
        start, memory = found["first_answer_s"][key], found["memory_mib"].get(name) if wire == "tcp" else None
        rows.append(
            (
                name,
                wire,
                *_range(rate),
                f"{found['round_trips_of_ours'][key]:.2f}",
                "" if (times := found.get("round_trips_of_compiled", {}).get(key)) is None else f"{times:.2f}",
                f"{start['median']:.2f} ({start['least']:.2f} - {start['most']:.2f})",
                f"{memory['rss']:.1f} / {memory['pss']:.1f}" if memory else "",
            )
        )
    head = ("server", "wire", "round trips/s", "range", "ours is x times", "compiled", "start, s", "RSS / PSS, MiB")
    notes = [f"Missing, since not installed: {', '.join(found['missing'])}."] if found["missing"] else []
    notes += [f"Did not start: {', '.join(found['failed'])}."] if found["failed"] else []
    return [
        "## Served devices",
        "One client, one connection, one question after the other, ready-made. Ours answers ECHO frames with rising "
        "correlation ids, whole protocol included; the bare server gives the same bytes back unread; the peers answer "
        f"a line of text. All servers run at once and are idle until asked. {_AWAKE[found['kept_awake']]}",
        _table(head, rows),
        *notes,
    ]


def _gateway(found: dict[str, Any]) -> list[str]:
    rows = [
        (name, *_range(rate), "" if (ratio := found["of_ours"].get(name)) is None else f"{ratio['median']:.2f}")
        for name, rate in found["round_trips_per_s"].items()
    ]
    missing = [] if len(rows) > 2 else ["Missing, since not installed: ser2net."]
    return [
        "## A serial port of the network",
        "One device, reached by RFC 2217, by TCP, and by ser2net before its pseudo-terminal (`chardelay` off, since it "
        "waits for more to come by default). One client for both gateways, one question after the other. "
        f"{_AWAKE[found['kept_awake']]}",
        _table(("way", "round trips/s", "range", "RFC 2217 of ours is x times"), rows),
        *missing,
    ]


def _codec(found: dict[str, Any]) -> list[str]:
    rows = []
    for name, rate in sorted(found["cases"].items(), key=lambda item: (item[0].split("/")[1], -item[1]["median"])):
        codec, act = name.split("/")
        ratio = found["ratios"].get(name)
        rows.append(
            (
                f"{act}: {codec}",
                f"{rate['median']:,}",
                f"{rate['p10']:,} - {rate['p90']:,}",
                "" if ratio is None else f"{ratio['median']:.2f} ({ratio['best']:.2f})",
            )
        )
    compiled = found["compiled"]
    rows += [(f"{act}: ours, core compiled", *_range(rate), "") for act, rate in compiled.get("cases", {}).items()]
    times = [f"{name} {ratio['median']:.2f}" for name, ratio in compiled.get("ratios", {}).items()]
    notes = [f"Missing, since not installed: {', '.join(found['missing'])}."] if found["missing"] else []
    noise = "; ".join(f"{kind} {taken:.3f} s" for kind, taken in found["garbage"]["cases"].items())
    return [
        "## Codec",
        f"Messages a second, {found['rounds']} rounds; the range is that of the middle eight tenths. A ratio is the "
        "median of the rounds', and in brackets that of each one's fastest round.",
        _table(("", "messages/s", "range", "ours is x times"), rows),
        *([f"Core compiled, ours is so many times: {', '.join(times)}."] if times else []),
        *notes,
        f"1 MiB of garbage before a good frame: {noise}.",
    ]


_MQTT_CASES = {
    "bare": "bare round trip, QoS 1 both ways",
    "paced": "the same, 60 ms apart, as a session's commands are",
    "library": "bare, with the library's own socket options",
    "echo": "ECHO, whole protocol at both ends",
    "motion": "command to DONE, less the motion",
}


def _mqtt(found: dict[str, Any]) -> list[str]:
    if not found:
        return ["## MQTT", "Not measured: Mosquitto is not installed."]
    rows = [
        (
            text,
            *(f"{found['ms'][name][figure]:.2f}" for figure in ("median", "p95", "most")),
            f"{found['of_bare'][name]:.2f}",
            f"{found['of_paced'][name]:.2f}",
        )
        for name, text in _MQTT_CASES.items()
    ]
    return [
        "## MQTT",
        f"Over Mosquitto on this machine, {found['rounds']} rounds; in ms. A ratio is the median of the rounds'. "
        f"{_AWAKE[found['kept_awake']]}",
        _table(("", "median", "95 %", "most", "x bare", "x paced"), rows),
    ]


def _lists(found: dict[str, Any]) -> list[str]:
    rows = [
        (
            "empty: the start-up alone" if case == "empty" else case,
            *_range(times, 3),
            f"{found['of_empty'][case]['median']:.2f}" if case in found["of_empty"] else "",
            f"{found['peak_mib'][case]:.0f}" if case in found["peak_mib"] else "",
        )
        for case, times in found["cpu_s"].items()
    ]
    return [
        "## `devicectl sessions list`",
        "Processor time from start to exit; sessions of 10,000 cores each, or of one cycle (short); the last 50 of "
        "them listed, or all.",
        _table(("sessions", "median, s", "range", "over empty", "peak, MiB"), rows),
    ]


def _plugin(found: dict[str, Any]) -> list[str]:
    rows = [
        ("with the plugin, s", *_range(found["with_s"], 3)),
        ("without it, s", *_range(found["without_s"], 3)),
        ("with over without", *_range(found["ratio"], 2)),
    ]
    return [
        "## The pytest plugin where nobody uses it",
        f"`pytest --collect-only` as a process, in a repository of {found['tests']} tests that uses no fixture of it.",
        _table(("", "median", "range"), rows),
    ]
