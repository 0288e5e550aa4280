"""The command line of `devicectl run`, checked before anything is opened.

Law: whatever is wrong with it is one line that names the option and shows what would be right.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar
from urllib.parse import urlsplit

import typer

from devicectl.errors import UrlError
from devicectl.log.paths import LOG_VARIABLE
from devicectl.transports.simulated import DRAWN_SEED_BITS, MAX_SEED, parse_speed
from devicectl.transports.urls import DEFAULT_URL, SCHEMES, DeviceUrl, parse_url
from protocols.mqtt.broker_url import BrokerUrlError
from protocols.text.names import one_form
from protocols.text.url_text import parse_whole, split_options

if TYPE_CHECKING:
    from devicectl.session.plan import Plan

URL_VARIABLE: Final = "HANDPIECE_URL"
"""Environment variable: the device where no option names one. `firmware-sim exec` sets it for the host that it runs."""
MAX_COURSE_LENGTH: Final = 80
"""Characters: a line of a terminal."""
LogOption = Annotated[
    str | None,
    typer.Option("--log", metavar="PATH|URL", help=f"The session log; else ${LOG_VARIABLE}, else the user's own."),
]
"""The option of each command that writes or reads the log."""
_Choice = TypeVar("_Choice", bound=StrEnum)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A checked command line. `named_by` is what named the device where that was no option, else empty."""

    url: DeviceUrl
    named_by: str
    plan: "Plan"
    course: str | None
    session_date: date
    log: str
    resume: bool
    abandon: bool
    allow_hardware: bool


def whole_number(text: str) -> int:
    """A whole number, for options and arguments that are one.

    Raises:
        typer.BadParameter: it is none.
    """
    number = parse_whole(text)
    if number is None:
        raise typer.BadParameter(f"{text[:MAX_COURSE_LENGTH]!r} is not a whole number; for example 60")
    return number


def one_of(kind: type[_Choice]) -> Callable[[str], _Choice]:
    """A parser of options that are one of `kind`: what Typer's own says differs from one version to the next."""

    def parse(text: str) -> _Choice:
        try:
            return kind(text)
        except ValueError:
            choices = ", ".join(kind)
            raise typer.BadParameter(f"{text[:MAX_COURSE_LENGTH]!r} is not one of {choices}") from None

    return parse


def refuse_together(first: str, second: str, reason: str) -> typer.BadParameter:
    """The error for two options that exclude each other."""
    return typer.BadParameter(f"cannot be used with {second}: {reason}", param_hint=first)


def device_url(
    option: str | None, seed: int | None, speed: str | None, default: str = DEFAULT_URL
) -> tuple[DeviceUrl, str]:
    """The URL of `--device`, else of the environment, else `default`, and what named it where that was no option.

    `--seed` and `--speed` are put into the URL. A simulated device without a seed gets one that is drawn here, unless
    it has a memory file: then its seed is in that file, which is not open yet.

    Raises:
        UrlError: the URL is wrong.
        typer.BadParameter: an option or the environment is wrong, or an option is not for this device.
    """
    text = os.environ.get(URL_VARIABLE) if option is None else None
    if not text:
        return _completed(_parsed(default if option is None else option), seed, speed), ""
    named_by = f"${URL_VARIABLE}"
    try:
        url = _parsed(text)
    except UrlError as error:
        raise typer.BadParameter(str(error), param_hint=named_by) from error
    return _completed(url, seed, speed, of=f" of {named_by}"), named_by


def _parsed(text: str) -> DeviceUrl:
    url = parse_url(text)
    if url.simulated:
        from devicectl.simulation.parameters import parameters_of  # the device's table: a real device has its own

        parameters_of(url)
    if url.broker is not None:
        from handpiece_shell.broker_files import check_broker_files  # with TLS, which no other device needs

        try:
            check_broker_files(url.broker)
        except BrokerUrlError as error:
            raise UrlError(text, error.part, error.reason, SCHEMES["mqtts"].example) from error
    return url


def _completed(url: DeviceUrl, seed: int | None, speed: str | None, of: str = "") -> DeviceUrl:
    if speed is not None:
        wanted, said = _speed(url, speed, of), dict(split_options(urlsplit(url.text).query)).get("speed")
        if said is not None and wanted != url.speed:
            raise typer.BadParameter(f"{speed} is not the URL's speed {said}; give one of them", param_hint="--speed")
        url = replace(url, speed=wanted)
    if seed is not None and not url.simulated:
        raise typer.BadParameter(
            f"is for simulated devices; {url.scheme}://{of} leads to one that runs already", param_hint="--seed"
        )
    if seed is not None and not 0 <= seed <= MAX_SEED:
        raise typer.BadParameter(f"{seed} is not a whole number from 0 to {MAX_SEED}", param_hint="--seed")
    if seed is not None and url.seed not in (None, seed):
        raise typer.BadParameter(f"{seed} is not the URL's seed {url.seed}; give one of them", param_hint="--seed")
    if url.seed is not None or not url.simulated:
        return url
    if seed is None and url.nvm is not None:
        return url
    import secrets

    return replace(url, seed=secrets.randbits(DRAWN_SEED_BITS) if seed is None else seed)


def _speed(url: DeviceUrl, text: str, of: str) -> float | None:
    if not url.in_process:
        raise typer.BadParameter(
            f"is for sim:// alone: over {url.scheme}://{of} it would scale the link's lease too", param_hint="--speed"
        )
    try:
        return parse_speed(DEFAULT_URL, text)
    except UrlError as error:
        raise typer.BadParameter(f"{error.reason}; for example --speed 10", param_hint="--speed") from error


def session_plan(path: Path | None, target_cores: int | None) -> "Plan":
    """The plan of `--plan` with `--target-cores` in it.

    Raises:
        PlanError: it is no plan, or cannot be done.
    """
    from devicectl.plan_file import load_plan
    from devicectl.session.plan import Plan, make_plan

    plan = Plan() if path is None else load_plan(path, f"--plan {path}")
    if target_cores is None:
        return plan
    return make_plan({**plan.model_dump(), "target_cores": target_cores}, source="--target-cores")


def course_name(text: str | None) -> str | None:
    """A course's name, without blanks around it and in one Unicode form.

    Raises:
        typer.BadParameter: it is empty, long, or cannot be printed.
    """
    if text is None:
        return None
    text = one_form(text.strip())
    if not (text and text.isprintable() and len(text) <= MAX_COURSE_LENGTH):
        right = f"a name of 1 to {MAX_COURSE_LENGTH} printable characters"
        raise typer.BadParameter(f"{text[:MAX_COURSE_LENGTH]!r} is not {right}", param_hint="--course")
    return text


def session_date(text: str | None) -> date:
    """The session's date, today where none is said.

    Raises:
        typer.BadParameter: it is no date.
    """
    from devicectl import clock

    if text is None:
        return clock.today()
    try:
        if not _DATE.match(text):
            raise ValueError("not YYYY-MM-DD")
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a date; for example 2026-03-31", param_hint="--date") from error
