"""The beginning of a twin: a simulated device that stands where the recorded one stood when its host came.

A recording of the device's end says all of that in its boot. At the host's end it is taken from the first WELCOME and
from what was said later: numbers of session, cycle and link go on from there, and the journal has the records that the
host read.

Law: what cannot be known is refused, not guessed.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

from firmware_sim.calls import power_on
from firmware_sim.device import Device
from firmware_sim.errors import ParameterError
from firmware_sim.memory.journal import JOURNAL_SLOTS, Journal
from firmware_sim.memory.nvm import Nvm
from firmware_sim.model.constants import PARAMETERS
from firmware_sim.model.parameters import Parameters
from firmware_sim.twin.conversation import DEVICE, HOST, Conversation, Said, TwinError
from protocols.capture.packet import Capture, JsonObject
from protocols.language import messages as M
from protocols.language import records as R
from protocols.language.enums import DeviceState, Phase
from protocols.language.units import MILLISECOND

USUAL_SEED: Final = 1
"""Seed of a twin where neither its profile nor the recording names one."""
_NAMES: Final = frozenset(parameter.name for parameter in PARAMETERS)


class Beginning(NamedTuple):
    """A device that has booted, at `booted_at` by its clock; `start` is that clock at the recording's beginning."""

    device: Device
    booted_at: int
    start: int


def begin(conversation: Conversation, seed: int | None, parameters: Mapping[str, float]) -> Beginning:
    """Make the device; `seed` and `parameters` of a profile go before what the recording says.

    Raises:
        TwinError: the recording does not say how its device stood, or the parameters cannot be.
        CaptureError: its boot cannot be repeated.
    """
    boot = conversation.boot
    if boot is not None:
        powered_on = power_on(boot, Capture(conversation.comment, ["events"], ()))
        return Beginning(powered_on.device, powered_on.start, powered_on.start)
    comment = conversation.comment
    try:
        given = Parameters({**_recorded_parameters(comment), **parameters})
    except ParameterError as error:
        raise TwinError(f"no device has these parameters: {error}") from error
    recorded_seed = comment.get("seed")
    if seed is None:
        seed = recorded_seed if isinstance(recorded_seed, int) else USUAL_SEED
    return _as_welcomed(conversation, seed, given)


def recorded_baud(conversation: Conversation) -> int:
    """Return the speed of the line of a recording that was made at the host's end; 0 where it does not say any."""
    text = dict(_options(conversation.comment, "")).get("baud", "")
    return int(text) if conversation.boot is None and text.isascii() and text.isdecimal() else 0


def _options(comment: JsonObject, scheme: str) -> list[tuple[str, str]]:
    """Return the options in the recorded device URL, if its scheme begins so."""
    url = comment.get("device")
    return parse_qsl(url.partition("?")[2]) if isinstance(url, str) and url.startswith(scheme) else []


def _recorded_parameters(comment: JsonObject) -> dict[str, float]:
    """Return the parameters in the device URL of a simulated device; of another device nobody knows them."""
    found = {}
    for name, text in _options(comment, "sim"):
        if name in _NAMES:
            try:
                found[name] = float(text)
            except ValueError as error:
                raise TwinError(f"its device URL has {name}={text[:20]!r}, which is no number") from error
    return found


def _as_welcomed(conversation: Conversation, seed: int, parameters: Parameters) -> Beginning:
    """Make a device that stands where the first WELCOME says."""
    hello, said = _first_welcome(conversation)
    welcome = said.message
    assert isinstance(welcome, M.Welcome)
    if welcome.session_no or welcome.state is not DeviceState.IDLE:
        raise TwinError(
            f"its host comes in the midst of something: session {welcome.session_no or 'none'}, {welcome.state.name}; "
            "a twin needs a recording from SESSION_OPEN on"
        )
    nvm = Nvm(epoch=welcome.journal_epoch)
    nvm.boot_count = max(0, welcome.boot_count - 1)
    nvm.link_count = max(0, welcome.link_id - 1)
    nvm.last_cycle_no = welcome.cycle_no
    opened = next((one.message for one in conversation.of_device() if isinstance(one.message, M.SessionOpenDone)), None)
    nvm.session_no = 0 if opened is None else max(0, opened.session_no - 1)
    device = Device(seed=seed, parameters=parameters, nvm=nvm)
    _fill_journal(device, welcome, conversation)
    return Beginning(device, 0, max(0, welcome.uptime_ms * MILLISECOND - hello.at_us))


def _first_welcome(conversation: Conversation) -> tuple[Said, Said]:
    """Return the first HELLO that was granted, and its WELCOME."""
    for frames in conversation.said.values():
        hellos = {}
        for said in frames:
            if said.sender == HOST and isinstance(said.message, M.Hello):
                hellos[said.header.correlation_id] = said
            elif said.sender == DEVICE and isinstance(said.message, M.Welcome):
                hello = hellos.get(said.header.correlation_id)
                if hello is not None:
                    return hello, said
    raise TwinError("no HELLO in it is answered by a WELCOME: a twin needs a recording from the host's HELLO on")


def _fill_journal(device: Device, welcome: M.Welcome, conversation: Conversation) -> None:
    """Give the device the records that nobody had acknowledged; those that the host never read are never asked for."""
    head, tail = welcome.journal_head, welcome.journal_tail
    if not tail <= head <= tail + JOURNAL_SLOTS:
        raise TwinError(f"its WELCOME has a journal from {tail} to {head}: at most {JOURNAL_SLOTS} records are held")
    read = {}
    for said in conversation.of_device():
        if isinstance(said.message, M.JournalPage):
            read.update({R.event_no_of(raw): raw for raw in R.whole_records(said.message.records)})
    journal = Journal()
    journal.restore(head, tail, b"".join(read.get(no) or _unread(no, welcome) for no in range(tail, head)).hex())
    device.nvm.journal = journal


def _unread(event_no: int, welcome: M.Welcome) -> bytes:
    boot = R.Boot(event_no=event_no, uptime_ms=0, boot_count=welcome.boot_count, open_cycle_no=0, phase=Phase.NONE)
    return R.encode_record(boot)
