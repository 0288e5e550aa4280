"""Public topics of a device behind a broker: the retained ones, and each journal record as it is written.

Law: it reads the device and changes nothing but the number of births, and shows no memory that a loss of power could
take back. It is asked now and then, not at each change: `state` is a picture for people, and what happened in between
is in the journal.
"""

from collections.abc import Callable, Hashable
from typing import Final, NamedTuple, Protocol

from pydantic_core import to_json

from firmware_sim.commands.statements import identity
from firmware_sim.device import Device
from protocols.language.schema import schema_id
from protocols.language.version import MINOR, PROTOCOL
from protocols.mqtt.bodies import payload_of, record_of
from protocols.mqtt.status import LOST, Alarms, AlarmShown, ParameterShown, Params, Snapshot, State, Status
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import Publication
from protocols.text.notice import NOTICE

MAX_RECORDS: Final = 64
"""Journal records published in one go. More comes from a host that is refused for ever; what is left out is in
the journal, where a host reads."""


class Seen(Protocol):
    """A device as a broker shows it. It may be another one than before, after a connection has ended."""

    @property
    def device(self) -> Device:
        """The device that is there now."""

    def count_birth(self) -> int:
        """Count a connection to a broker, and return its number, which none before it had."""

    def settle(self) -> None:
        """See that no loss of power takes away what is about to be shown, or raise NvmFileError."""


class Snapshots:
    """The public topics of a device behind a broker, over all of its connections: the versions go on rising."""

    def __init__(self, seen: Seen, topics: DeviceTopics) -> None:
        self._of = seen
        self._topics = topics
        self._birth_no = 0
        self._seen: dict[str, Hashable] = {}
        self._versions = dict.fromkeys(_SHOWN, 0)
        self._next_record = 0

    @property
    def _device(self) -> Device:
        return self._of.device

    def begin(self) -> Publication:
        """Count a birth, and return the will of its connection, which the broker says when the connection is lost."""
        self._birth_no = self._of.count_birth()  # the broker has the will before anything else is shown
        self._next_record = self._device.nvm.head
        return self._status(online=False, reason=LOST)

    def birth(self) -> list[Publication]:
        """Return all topics. That the device is online comes last, since hosts wait for that."""
        self._changed()
        info = self._retained("info", to_json(payload_of(identity(self._device.board))))
        return [info, *map(self._shown, _SHOWN), *self._records(), self._status(online=True, reason="")]

    def leave(self) -> Publication:
        """Return the status that says that the device has left."""
        return self._status(online=False, reason="closed")

    def forget(self) -> list[Publication]:
        """Return publications that clear each retained topic, `status` last as at birth."""
        return [self._retained(topic, b"") for topic in ("info", *_SHOWN, "status")]

    def changes(self) -> list[Publication]:
        """Return the topics that changed since the last call, and the records written since."""
        return [*map(self._shown, self._changed()), *self._records()]

    def _changed(self) -> list[str]:
        """Return the topics that changed, and give each a new version.

        Raises:
            NvmFileError: what they would show cannot be kept.
        """
        self._of.settle()
        changed = []
        for topic, shown in _SHOWN.items():
            key = shown.key(self._device)
            if self._seen.get(topic) != key:
                self._seen[topic] = key
                self._versions[topic] += 1
                changed.append(topic)
        return changed

    def _shown(self, topic: str) -> Publication:
        return self._retained(topic, _SHOWN[topic].make(self._device, self._versions[topic]).to_body())

    def _records(self) -> list[Publication]:
        nvm = self._device.nvm
        records: list[Publication] = []
        while self._next_record < nvm.head and len(records) < MAX_RECORDS:
            first, page = nvm.read(self._next_record, MAX_RECORDS - len(records))
            records += [Publication(self._topics.of("event"), to_json(record_of(raw))) for raw in page]
            self._next_record = first + len(page)
        self._next_record = nvm.head
        return records

    def _retained(self, topic: str, body: bytes) -> Publication:
        return Publication(self._topics.of(topic), body, retain=True)

    def _status(self, *, online: bool, reason: str) -> Publication:
        status = Status(
            notice=NOTICE,
            simulated=True,
            online=online,
            birth_no=self._birth_no,
            reason=reason,
            protocol=PROTOCOL,
            minor=MINOR,
            schema_id=schema_id(MINOR),
            boot_count=self._device.nvm.boot_count,
        )
        return self._retained("status", status.to_body())


# --- what is shown -------------------------------------------------------------------------------------------------


def _state_key(device: Device) -> Hashable:
    nvm = device.nvm
    return (
        device.board.state,
        device.board.alarms.highest,
        nvm.head,
        nvm.last_cycle_no,
        nvm.totals.cores_counted,
        device.controller_host_id,
    )


def _state(device: Device, version: int) -> State:
    nvm, totals = device.nvm, device.nvm.totals
    return State(
        version=version,
        state=device.board.state,
        highest_alarm=device.board.alarms.highest,
        session_no=totals.session_no,
        cycle_no=nvm.last_cycle_no,
        cycles=totals.cycles,
        punctures=totals.punctures,
        cores_counted=totals.cores_counted,
        journal_head=nvm.head,
        controller_host_id=device.controller_host_id,
    )


def _alarms_key(device: Device) -> Hashable:
    return tuple((alarm.rule.code, alarm.state, alarm.since_ms) for alarm in device.board.alarms.listing())


def _alarms(device: Device, version: int) -> Alarms:
    shown = [
        AlarmShown(
            code=alarm.rule.code,
            interlock=alarm.rule.interlock,
            priority=alarm.rule.priority,
            state=alarm.state,
            uptime_ms=alarm.since_ms,
            sentence=alarm.rule.sentence,
        )
        for alarm in device.board.alarms.listing()
    ]
    return Alarms(version=version, alarms=tuple(shown))


def _params_key(device: Device) -> Hashable:
    return device.parameters.hash


def _params(device: Device, version: int) -> Params:
    described = [device.parameters.describe(index) for index in range(device.parameters.count)]
    shown = [
        ParameterShown(
            name=one.name,
            unit=one.unit,
            scope=one.scope,
            value=one.value,
            minimum=one.minimum,
            maximum=one.maximum,
        )
        for one in described
    ]
    return Params(version=version, params=tuple(shown))


class _Shown(NamedTuple):
    """One retained topic: what tells whether it changed, and what makes its body."""

    key: Callable[[Device], Hashable]
    make: Callable[[Device, int], Snapshot]


_SHOWN: Final = {
    "state": _Shown(_state_key, _state),
    "alarms": _Shown(_alarms_key, _alarms),
    "params": _Shown(_params_key, _params),
}
