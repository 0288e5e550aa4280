"""The pages of faults and scenarios, whose tables are made of the catalogue and of the form of a scenario's file.

Law: a page is prose by hand around what is made; only what is between the two marks of a part is written again.
"""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from pydantic import BaseModel

from devicectl.simulation.scenario_form import ExpectForm, PersonForm, ScenarioForm
from firmware_sim.faults.catalogue import CATALOGUE
from firmware_sim.faults.kind import Kind, Quantity, Target
from firmware_sim.faults.trigger import NAMES
from tests.architecture.docs.pages.reference_pages import table
from tests.architecture.tree import ROOT

END: Final = "<!-- end -->"
SHARED_BY: Final = 3
"""Kinds that have a quantity alike before it is explained once for all of them."""
HEADINGS: Final = {
    Target.WIRE: "The wire",
    Target.DEVICE: "The device",
    Target.MEMORY: "The memory",
    Target.HOST: "The host",
    Target.BROKER: "The broker",
}


def faults() -> str:
    """The page of faults, with its tables of kinds and names made again."""
    page = (ROOT / "docs/faults.md").read_text(encoding="utf-8")
    page = made(page, "firmware_sim/faults/catalogue.py", "\n\n".join(_kinds()))
    names = [(f"`{name}`", about.help, _values(about.words, about.unit)) for name, about in NAMES.items()]
    return made(page, "firmware_sim/faults/trigger.py", table(("name", "is", "value"), names))


def scenarios() -> str:
    """The page of scenarios, with its tables of keys made again."""
    page = (ROOT / "docs/scenarios.md").read_text(encoding="utf-8")
    rows = [*keys(ScenarioForm, ""), *keys(PersonForm, "person."), *keys(ExpectForm, "expect.")]
    return made(page, "devicectl/simulation/scenario_form.py", table(("key", "is", "right is", "default"), rows))


def made(page: str, source: str, text: str) -> str:
    """Return a page with the part that is made from `source` replaced."""
    begin = f"<!-- made from {source} by `make docs` -->\n"
    before, found, rest = page.partition(begin)
    assert found, f"there is no part of {source}"
    return f"{before}{begin}\n{text}\n\n{END}{rest.partition(END)[2]}"


def _kinds() -> Iterator[str]:
    yield "Quantities that many kinds have alike; a row that says more of one of them is right for its kind:"
    yield table(("quantity", "is"), [(f"`{one.name}`", _about(one)) for one in _shared()])
    for target, heading in HEADINGS.items():
        kinds = [kind for kind in CATALOGUE.values() if kind.target is target]
        rows = [(f"`{kind.name}`", _quantities(kind), kind.sentence) for kind in kinds]
        yield f"### {heading}"
        yield table(("fault", "quantities", "what should happen"), rows)


def _shared() -> list[Quantity]:
    """Return the quantities that at least three kinds have; of two that are named alike, the one of more kinds."""
    counted = Counter(one for kind in CATALOGUE.values() for one in kind.quantities)
    commonest = {one.name: one for one, count in reversed(counted.most_common()) if count >= SHARED_BY}
    return [one for one in counted if commonest.get(one.name) == one]


def _quantities(kind: Kind) -> str:
    """Return a kind's quantities in the order that FAULT_INJECT counts by; neighbors that are shared on one line."""
    lines = [
        ", ".join(f"`{one.name}`" for one in group) if shared else "<br>".join(map(_explained, group))
        for shared, group in groupby(kind.quantities, _shared().__contains__)
    ]
    return "<br>".join(lines)


def _explained(one: Quantity) -> str:
    return f"`{one.name}`: {_about(one)}"


def _about(one: Quantity) -> str:
    unit = f" {one.unit}" if one.unit else ""
    usual = one.usual if one.words else f"{float(one.usual):.10g}{unit}"
    return f"{one.help} ({one.range}{unit}; usual {usual})"


def _values(words: tuple[str, ...], unit: str) -> str:
    return ", ".join(f'"{word}"' for word in words) if words else f"a number{f' in {unit}' if unit else ''}"


def keys(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str, str, str]]:
    """Rows of the keys of a form, each named with `prefix`."""
    for name, field in model.model_fields.items():
        empty = field.is_required() or isinstance(field.default, BaseModel) or field.default in ("", {}, [])
        default = "" if empty else f"`{json.dumps(field.default)}`"
        yield f"`{prefix}{name}`", str(field.title), str(field.description), default
