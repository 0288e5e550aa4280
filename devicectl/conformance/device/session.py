"""A whole run against a device: the bench for its URL, what the bench meets, and the data of the report.

Law: it chooses; what is true of the device comes from the cases.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from devicectl.conformance.baseline import apply_baseline
from devicectl.conformance.brokers import BrokerGoneError
from devicectl.conformance.case import Case, Need
from devicectl.conformance.device.ground import Ground
from devicectl.conformance.device.opening import open_simulated, opened
from devicectl.conformance.device.probe import BrokenRule, GoneError, Sent, Steps
from devicectl.conformance.device.runner import Claims, Kept, OutOfTime, Runner
from devicectl.conformance.outcome import Outcome, Tell, Word, tell_nobody
from devicectl.errors import LinkError, SessionError
from devicectl.transports.urls import DeviceUrl

MANY_LINKS: Final = 17
ONE_LINK: Final = ("serial", "rfc2217", "sim+pty")
"""Schemes of ways that carry one link: a serial port, also where a gateway has it, and a pseudo-terminal."""
BRISK: Final[Mapping[str, float]] = {
    "reposition_mean_s": 0.1,
    "vacuum_tau_s": 0.1,
    "vacuum_stable_s": 0.3,
    "vent_tau_s": 0.03,
    "suction_ms": 50.0,
    "purge_s": 2.6,
}
"""Parameters of a simulator that the run brings itself, where its URL names no others: the hand and the pump of the
usual one take a minute and a half of a run, and no rule is about them. The purge is as long as two PROGRESS need."""
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
    tell: Tell = tell_nobody


@dataclass(frozen=True, slots=True)
class Held:
    """A run that has been held."""

    claims: Claims
    outcomes: list[Outcome]
    seconds: float


def hold(wanted: Wanted, keep: Kept) -> Held:
    """Hold a run.

    Raises:
        LinkError: there is no device that links; or the broker before it has gone, or keeps the kit out.
        SessionError: it holds a session that nobody has allowed to abandon, or is of another model than the claims.
        UrlError: the URL asks for what there is not.
    """
    wanted = replace(wanted, url=brisk(wanted.url))
    if wanted.url.in_process:
        from devicectl.conformance.device.virtual import run_steps

        ground, bench = open_simulated(wanted.url, wanted.slack_ms)
        return run_steps(bench, _whole(wanted, ground, keep, power=False))
    return asyncio.run(_hold_real(wanted, keep))


def brisk(url: DeviceUrl) -> DeviceUrl:
    """Return the URL of a simulator with brisk motions, where it names no others; that of any other device as it is."""
    return replace(url, parameters={**BRISK, **url.parameters}) if url.simulated else url


async def _hold_real(wanted: Wanted, keep: Kept) -> Held:
    async with opened(wanted.url, hook=wanted.hook, slack_ms=wanted.slack_ms) as (ground, bench):
        try:
            held = await bench.run(_whole(wanted, ground, keep, power=wanted.hook is not None))
        except BrokerGoneError:
            raise
        except LinkError:
            await bench.see_broker()  # which may be why nothing links
            raise
        if any(outcome.word is Word.FAILED for outcome in held.outcomes):
            await bench.see_broker()
        return held


def _whole(wanted: Wanted, ground: Ground, keep: Kept, *, power: bool) -> Steps[Held]:
    """Link, see what the device claims, and run the cases."""
    runner = Runner(ground, frozenset(), lambda outcome, pieces: outcome, run_limit_s=wanted.limit_s)
    try:
        claims = yield from runner.first()
    except (BrokenRule, GoneError) as error:
        heard = ground.probe.noise()
        raise LinkError(f"no device that links: {error}" + (f"; {heard}" if heard else "")) from error
    except OutOfTime as error:
        raise LinkError(
            f"no device that links: it answered, and not to an end, within {runner.first_limit_s:g} s"
        ) from error
    if claims.session_no and not (claims.simulated or wanted.abandon):
        raise SessionError(f"the device holds session {claims.session_no} open: --abandon closes it without its counts")
    if wanted.model not in ("", claims.model):
        raise SessionError(f"the claims are of model {wanted.model!r:.80}; the device says that it is {claims.model!r}")
    met = met_needs(wanted, claims, power=power)
    ground.has_power_switch, ground.met = power, met
    known = wanted.known

    def kept(outcome: Outcome, pieces: Sequence[Sent]) -> Outcome:
        (judged,) = apply_baseline([outcome], known)
        return keep(judged, pieces)

    runner = Runner(ground, met, kept, run_limit_s=wanted.limit_s, lacks=wanted.lacks)
    outcomes = yield from runner.run(_told(wanted))
    return Held(claims, outcomes, ground.probe.now / 1e6)


def _told(wanted: Wanted) -> Iterator[Case]:
    """Give the cases of a run, and tell of each."""
    for number, one in enumerate(wanted.cases):
        wanted.tell(number, len(wanted.cases), one.id)
        yield one


def links_of(url: DeviceUrl) -> int:
    """Return the number of links that a way carries side by side, as far as its URL tells."""
    return 1 if url.scheme in ONE_LINK else MANY_LINKS


def met_needs(wanted: Wanted, claims: Claims, *, power: bool) -> frozenset[Need]:
    """Return the needs of cases that this run meets."""
    url = wanted.url
    links = links_of(url) if wanted.links is None else wanted.links
    held = {
        Need.BYTES: url.broker is None and url.scheme != "sim+mqtt",
        Need.BROKER: url.broker is not None or url.scheme == "sim+mqtt",
        Need.SECOND: links > 1,
        Need.MANY: links >= MANY_LINKS,
        Need.MOTION: claims.simulated or wanted.allow_motion,
        Need.HOOK: power,
        Need.POWER: power or claims.takes_faults,  # whose power can be cut over its link
    }
    return claims.needs | {need for need, holds in held.items() if holds}
