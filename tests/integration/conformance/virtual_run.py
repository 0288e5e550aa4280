"""Runs of the probe against a simulator in virtual time, without a command line."""

from collections.abc import Sequence

from devicectl.cli.conform.files import choose
from devicectl.conformance.device.session import Held, Wanted, hold
from devicectl.transports.urls import parse_url


def held(url: str = "sim://?seed=1", cases: Sequence[str] = ()) -> Held:
    """Hold a run: all cases, or those that are chosen as `--case` does."""
    return hold(Wanted(parse_url(url), choose(cases)), lambda outcome, pieces: outcome)
