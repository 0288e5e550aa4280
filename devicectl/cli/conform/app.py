"""The group of commands that hold other people's ends against the rules."""

import typer

from devicectl.cli.conform.controller import controller
from devicectl.cli.conform.device import device
from devicectl.cli.conform.learn import learn
from devicectl.cli.help import PlainCommand, PlainGroup

app = typer.Typer(
    name="conform", help="Hold somebody else's end against the rules.", no_args_is_help=True, cls=PlainGroup
)
app.command("device", cls=PlainCommand, short_help="Try a device, rule by rule.")(device)
app.command("learn", cls=PlainCommand, short_help="Learn the machine that a device is.")(learn)

app.command("controller", cls=PlainCommand, short_help="Try a controller against a device that misbehaves.")(controller)


@app.callback()
def _group() -> None:
    """Hold somebody else's end against the rules of the protocol."""
