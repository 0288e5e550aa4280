"""`devicectl plan`: the file of a plan, made from the model that reads it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

_Example = Annotated[
    bool, typer.Option("--example", help="Print a plan that can be taken as it is, each key explained.", metavar="")
]
_HEAD: Final = (
    "# A plan of one session, for `devicectl run --plan FILE`: YAML, or in a file *.json JSON with the same keys.",
    "# Each key may be left out, and then has the value that is shown here. An unknown key is refused.",
)


def plan(context: typer.Context, example: _Example = False) -> None:
    """Show what a plan's file may say."""
    if not example:
        print(context.get_help())
        raise typer.Exit(2)
    print(example_text(), end="")


class Key(NamedTuple):
    """A key of a plan's file: what it is, what is right for it, and its default, None where there is none."""

    path: str
    meaning: str
    right: str
    default: str | None


def keys() -> Iterator[Key]:
    """Every key, those of zones and operator behind their own."""
    from devicectl.session.plan import Operator, Plan, Zone

    inner: dict[str, tuple[str, type[BaseModel]]] = {"zones": ("zones[].", Zone), "operator": ("operator.", Operator)}
    for name, field in Plan.model_fields.items():
        within = inner.get(name)
        yield _key(name, field, with_default=within is None)
        if within is not None:
            prefix, model = within
            for inner_name, inner_field in model.model_fields.items():
                yield _key(f"{prefix}{inner_name}", inner_field, with_default=True)


def _key(path: str, field: "FieldInfo", *, with_default: bool) -> Key:
    assert field.title is not None and field.description is not None
    has_default = with_default and not field.is_required()
    return Key(path, field.title, field.description, str(field.default) if has_default else None)


def example_text() -> str:
    """The default plan as YAML, each key with what it is and what is right for it."""
    from devicectl.session.plan import Plan

    told = {key.path: f"{key.meaning}: {key.right}" for key in keys()}
    lines = list(_HEAD)
    for name, value in Plan().model_dump(mode="json").items():
        lines += ["", f"# {told[name]}"]
        if isinstance(value, list):
            lines += [f"{name}:", *(f"  # {key}: {told[f'{name}[].{key}']}" for key in value[0])]
            for item in value:
                dashes = ["- ", *["  "] * len(item)]
                lines += [f"  {dash}{key}: {text}" for dash, (key, text) in zip(dashes, item.items(), strict=False)]
        elif isinstance(value, dict):
            lines.append(f"{name}:")
            for key, text in value.items():
                lines += [f"  # {told[f'{name}.{key}']}", f"  {key}: {text}"]
        else:
            lines.append(f"{name}: {value}")
    return "\n".join(lines) + "\n"
