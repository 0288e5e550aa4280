"""A whole run against a device: the bench for its URL, what the bench meets, and the data of the report.

Law: it chooses; what is true of the device comes from the cases.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from devicectl.conformance.baseline import apply_baseline
from devicectl.conformance.case import Case, Need
from devicectl.conformance.device.ground import Ground
from devicectl.conformance.device.opening import open_simulated, opened
from devicectl.conformance.device.probe import BrokenRule, GoneError, Sent, Steps
from devicectl.conformance.device.runner import Claims, Kept, OutOfTime, Runner
from devicectl.conformance.outcome import Outcome
from devicectl.errors import LinkError, SessionError
from devicectl.transports.urls import DeviceUrl

MANY_LINKS: Final = 17
ONE_HOST: Final = ("serial", "sim+pty")
"""Schemes of a line that one host has at a time."""
RUN_LIMIT_S: Final = 900.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A run, as its command line has it."""

    url: DeviceUrl
    cases: Sequence[Case]
    known: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    """Model that the claims are about; "" for any."""
    lacks: Mapping[str, str] = field(default_factory=dict)
    """Cases that are left out -> why."""
    allow_motion: bool = False
    abandon: bool = False
    hook: str | None = None
    slack_ms: float | None = None
    limit_s: float = RUN_LIMIT_S
    links: int | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A run that has been held."""

    claims: Claims
    outcomes: list[Outcome]
    seconds: float


def hold(wanted: Wanted, keep: Kept) -> Held:
    """Hold a run.

    Raises:
        LinkError: there is no device that links.
        SessionError: it holds a session that nobody has allowed to abandon, or is of another model than the claims.
        UrlError: the URL asks for what there is not.
    """
    if wanted.url.in_process:
        from devicectl.conformance.device.virtual import run_steps

        ground, bench = open_simulated(wanted.url, wanted.slack_ms)
        return run_steps(bench, _whole(wanted, ground, keep, power=False))
    return asyncio.run(_hold_real(wanted, keep))


async def _hold_real(wanted: Wanted, keep: Kept) -> Held:
    async with opened(wanted.url, hook=wanted.hook, slack_ms=wanted.slack_ms) as (ground, bench):
        return await bench.run(_whole(wanted, ground, keep, power=wanted.hook is not None))


def _whole(wanted: Wanted, ground: Ground, keep: Kept, *, power: bool) -> Steps[Held]:
    """Link, see what the device claims, and run the cases."""
    runner = Runner(ground, frozenset(), lambda outcome, pieces: outcome, run_limit_s=wanted.limit_s)
    try:
        claims = yield from runner.first()
    except (BrokenRule, GoneError) as error:
        heard = ground.probe.noise()
        raise LinkError(f"no device that links: {error}" + (f"; {heard}" if heard else "")) from error
    except OutOfTime as error:
        raise LinkError("no device that links: it answered, and not to an end, within its limit") from error
    if claims.session_no and not (claims.simulated or wanted.abandon):
        raise SessionError(f"the device holds session {claims.session_no} open: --abandon closes it without its counts")
    if wanted.model not in ("", claims.model):
        raise SessionError(f"the claims are of model {wanted.model!r:.80}; the device says that it is {claims.model!r}")
    met = _met(wanted, claims, power=power)
    ground.has_power_switch, ground.can_restart = power, Need.POWER in met
    known = wanted.known

    def kept(outcome: Outcome, pieces: Sequence[Sent]) -> Outcome:
        (judged,) = apply_baseline([outcome], known)
        return keep(judged, pieces)

    runner = Runner(ground, met, kept, run_limit_s=wanted.limit_s, lacks=wanted.lacks)
    outcomes = yield from runner.run(wanted.cases)
    return Held(claims, outcomes, ground.probe.now / 1e6)


def _met(wanted: Wanted, claims: Claims, *, power: bool) -> frozenset[Need]:
    """Return the needs of cases that this run meets."""
    url = wanted.url
    links = wanted.links if wanted.links is not None else 1 if url.scheme in ONE_HOST else MANY_LINKS
    held = {
        Need.BYTES: url.broker is None and url.scheme != "sim+mqtt",
        Need.BROKER: url.broker is not None or url.scheme == "sim+mqtt",
        Need.SECOND: links > 1,
        Need.MANY: links >= MANY_LINKS,
        Need.MOTION: claims.simulated or wanted.allow_motion,
        Need.POWER: power or claims.takes_faults,  # whose power can be cut over its link
    }
    return claims.needs | {need for need, holds in held.items() if holds}
