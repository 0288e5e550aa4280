"""Help that shows no value where an option takes none: Typer gives its own `--help` one of the type <bool>."""

from typing import Any

import typer.core


class PlainCommand(typer.core.TyperCommand):
    """A command whose `--help` shows no value."""

    def get_help_option(self, ctx: Any) -> Any:
        """The option; None where it was switched off."""
        return _plain(super().get_help_option(ctx))


class PlainGroup(typer.core.TyperGroup):
    """A group of commands whose `--help` shows no value."""

    def get_help_option(self, ctx: Any) -> Any:
        """The option; None where it was switched off."""
        return _plain(super().get_help_option(ctx))


def _plain(option: Any) -> Any:
    if option is not None:
        option.metavar = ""
    return option
