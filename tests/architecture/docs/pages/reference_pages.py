"""The reference pages that are made of tables in the code: states, interlocks and alarms, command lines.

Law: a page depends on the code alone, never on the terminal, the Python version or the day.
"""

import argparse
from collections.abc import Iterator, Sequence

import typer.main

from devicectl.cli.plan import example_text, keys
from devicectl.cli.program import app
from devicectl.log.fields import FIELDS
from devicectl.session import machine
from firmware_sim import cli as firmware_cli
from firmware_sim.board import states
from firmware_sim.commands.rules import RULES, AnyRule
from firmware_sim.model.interlocks import ALARMS, INTERLOCKS
from protocols.language.messages import Punch
from tests.architecture.tree import ROOT


def _page(title: str, source: str, *paragraphs: str) -> str:
    return "\n\n".join([f"# {title}", f"Generated from `{source}`.", *paragraphs]) + "\n"


def _mermaid(diagram: str) -> str:
    return f"```mermaid\n{diagram.rstrip()}\n```"


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def device_states() -> str:
    """The device's table, drawn, and the states in which each command is lawful."""
    groups = (("any", states.RUNNING + states.HELD), ("running", states.RUNNING), ("unarmed", states.UNARMED))

    def lawful(rule: AnyRule) -> str:
        left, found = list(rule.states), []
        for name, members in (*groups, ("held", states.HELD)):
            if set(members) <= set(left):
                found.append(name)
                left = [state for state in left if state not in members]
        return ", ".join([*found, *(state.name for state in left)])

    rows = [
        (
            rule.command.__name__,
            lawful(rule),
            "yes" if rule.needs_session else "",
            "yes" if rule.needs_room or rule.command is Punch else "",
            "yes" if rule.journaled else "",
        )
        for rule in RULES.values()
    ]
    return _page(
        "The device's states",
        "firmware_sim/board/states.py` and `firmware_sim/commands/rules.py",
        _mermaid(states.mermaid()),
        "## Commands",
        "Elsewhere a command is refused: by E_STATE or, where an interlock keeps the device in its state, by that. The "
        "groups are those of the drawing; *held* is SAFE, FAULT or LOCKED, *any* all but OFF and SELF_TEST. A phase of "
        "the cycle is lawful where the one before it is done, and PUNCH in ARMED: what is asked of a cycle that has "
        "ended is answered from memory. Room is 64 records of the journal. What only asks, and ParamSet and AlarmAck, "
        "are lawful in every state.",
        table(("command", "in", "needs a session", "needs room", "leaves an Action"), rows),
    )


def session_states() -> str:
    """The host's table, drawn."""
    return _page("The host's states", "devicectl/session/machine.py", _mermaid(machine.mermaid()))


def session_start() -> str:
    """Fields of a session's start, as the log has them."""
    rows = [(f"`{field.name}`", field.form.value, field.kept.since, field.kept.about) for field in FIELDS]
    return _page(
        "A session's start in the log",
        "devicectl/session/entries.py",
        "Columns of the table `sessions`, and fields of the object `session` in JSON lines. A field that came after "
        "schema version 1 is also a row of `sessions show`, a last column of `--table sessions` and a last field of "
        "`sessions list --json`.",
        table(("field", "stored as", "since schema version", "is"), rows),
    )


def alarms() -> str:
    """Interlocks with their alarms."""
    interlocks = [
        (row.number, row.name, row.hazard, row.told, "" if row.built else "not built") for row in INTERLOCKS.values()
    ]
    rules = [
        (
            rule.label,
            INTERLOCKS[rule.interlock].name,
            rule.priority.name,
            "latched" if rule.latched else "",
            rule.sentence,
        )
        for rule in ALARMS.values()
    ]
    return _page(
        "Interlocks and alarms",
        "firmware_sim/model/interlocks.py",
        "An alarm's code begins with its interlock's number. Priorities are styled after IEC 60601-1-8; no conformity "
        "is claimed.",
        "## Interlocks",
        table(("#", "name", "hazard", "what the device does", ""), interlocks),
        "## Alarms",
        table(("code", "interlock", "priority", "", "sentence"), rules),
    )


def model() -> str:
    """The page of the model, with its table of interlocks made again between two comments."""
    rows = [
        (
            row.number,
            row.hazard,
            row.told if row.built else f"not built: {row.told}",
            ", ".join(f"{rule.label} {rule.priority.name.lower()}{', latched' * rule.latched}" for rule in row.alarms),
        )
        for row in INTERLOCKS.values()
    ]
    begin, end = "<!-- made from firmware_sim/model/interlocks.py by `make docs` -->\n", "<!-- end -->"
    before, _, rest = (ROOT / "docs/model.md").read_text(encoding="utf-8").partition(begin)
    interlocks = table(("#", "hazard", "what the device does", "alarms"), rows)
    return f"{before}{begin}\n{interlocks}\n\n{end}{rest.partition(end)[2]}"


def plan() -> str:
    """A plan's file: each key, and an example."""
    rows = [
        (f"`{key.path}`", key.meaning, key.right, "" if key.default is None else f"`{key.default}`") for key in keys()
    ]
    return _page(
        "The plan of a session",
        "devicectl/session/plan.py",
        "`devicectl run --plan FILE` takes a plan in YAML or, where the file's name ends in `.json`, in JSON. Each key "
        "may be left out; without a file there are the defaults. `--target-cores N` stands for that one key.",
        "A file is refused, in one line that names the key, its value and what would be right, where a key is not "
        "known or is there twice, a value is not of the kind or in the range below, or the target is more than the "
        "zones' cells take. It has at most 64 KiB, and of YAML no anchors, aliases, tags or second document; `010` and "
        "`12:30` are texts.",
        "## Keys",
        table(("key", "is", "right is", "default"), rows),
        "## Example",
        "`devicectl plan --example > plan.yaml` writes it:",
        f"```yaml\n{example_text().rstrip()}\n```",
        "The same as JSON, shorter:",
        '```json\n{"target_cores": 600, "depth_mm": 2.5, "zones": [{"name": "forehead", "area_cm2": 50}]}\n```',
    )


def command_line() -> str:
    """Both programs, each command with its options."""
    sections = [section for command in (*_of_typer(), *_of_argparse()) for section in command]
    return _page("Command lines", "devicectl/cli` and `firmware_sim/cli.py", *sections)


def _of_typer() -> Iterator[tuple[str, str, str]]:
    def walk(command: object, path: str) -> Iterator[tuple[str, str, str]]:
        for name, child in sorted(getattr(command, "commands", {}).items()):
            yield from walk(child, f"{path} {name}")
        if not hasattr(command, "commands"):
            rows = []
            for option in command.params:  # type: ignore[attr-defined]
                name = option.metavar or option.name if option.param_type_name == "argument" else "/".join(option.opts)
                rows.append((f"`{name}`", _value_of(option), option.help or ""))
            text = _prose(command.help or "")  # type: ignore[attr-defined]
            yield f"## `{path}`", text, table(("option", "value", "meaning"), rows)

    yield from walk(typer.main.get_command(app), "devicectl")


def _prose(text: str) -> str:
    """A help text's paragraphs; one whose lines begin with numbers is a list."""
    paragraphs = []
    for paragraph in text.split("\n\n"):
        lines = paragraph.replace("\b", "").split("\n")
        listed = [f"- {line.strip()}" if line.strip()[:1].isdecimal() else line.strip() for line in lines]
        paragraphs.append("\n".join(line for line in listed if line))
    return "\n\n".join(paragraphs)


def _value_of(option: object) -> str:
    if getattr(option, "is_flag", False):
        return ""
    metavar = getattr(option, "metavar", None) or ""
    default = getattr(option, "default", None)
    return metavar if default is None else f"{metavar} (default {default})".strip()


def _of_argparse() -> Iterator[tuple[str, str, str]]:
    parser = firmware_cli._parser()
    (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    for name, command in sorted(commands.choices.items()):
        rows = [
            (f"`{'/'.join(action.option_strings) or action.dest}`", action.metavar or "", action.help or "")
            for action in command._actions
            if not isinstance(action, argparse._HelpAction)
        ]
        yield f"## `{parser.prog} {name}`", command.description or "", table(("option", "value", "meaning"), rows)
