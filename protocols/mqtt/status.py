"""Bodies of a device's retained topics, which anybody at the broker can read, with a link or without.

Law: they are snapshots, for people and dashboards. A host counts by the journal and none of these commands it; it
takes from `status` alone whether there is a device to greet. `version` rises with each change of a topic's content,
whatever connections are lost; it begins again with the device's process.
"""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json

from protocols.language.enums import AlarmPriority, AlarmState, DeviceState, ParamScope
from protocols.language.errors import MessageError
from protocols.language.fields import Unit
from protocols.mqtt.bodies import check_size, plain

LOST = "lost"
"""The reason in a will: nobody said why."""


class Snapshot(BaseModel):
    """Base of the bodies of retained topics."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    def to_body(self) -> bytes:
        """Return it as it is published: one JSON object, enumerations by name."""
        return to_json(_as_json(self))


def _as_json(value: object) -> object:
    if isinstance(value, Snapshot):
        return {name: _as_json(item) for name, item in value}
    if isinstance(value, tuple):
        return [_as_json(item) for item in value]
    return plain(value)


class Status(Snapshot):
    """`status`: the birth of a device's connection to the broker, and its will.

    A will whose `birth_no` is not that of the last birth is of an older connection and says nothing. `reason` is empty
    while the device is online, "lost" in the will, "closed" where the device took its leave. `schema_id` and `minor`
    are those of HELLO.
    """

    # A newer device may say more, and it is read before anybody knows how new it is.
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, defer_build=True)

    notice: str
    simulated: bool
    online: bool
    birth_no: int
    reason: str
    protocol: str
    minor: int
    schema_id: int
    boot_count: int

    @classmethod
    def from_body(cls, body: bytes) -> Self:
        """The status in a body.

        Raises:
            MessageError: it is none.
        """
        try:
            check_size(body)
            return cls.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            raise MessageError(cls.__name__, ".".join(map(str, first["loc"])) or None, first["msg"]) from error
        except ValueError as error:
            raise MessageError(cls.__name__, None, str(error)) from error


class State(Snapshot):
    """`state`: where the device and its session stand. `session_no` is 0 where none is open."""

    version: int
    state: DeviceState
    highest_alarm: AlarmPriority
    session_no: int
    cycle_no: int
    cycles: int
    punctures: int
    cores_counted: int
    journal_head: int
    controller_host_id: int


class AlarmShown(Snapshot):
    """One alarm of the list; `code` 1203 is shown as MC-1203."""

    code: int
    interlock: int
    priority: AlarmPriority
    state: AlarmState
    uptime_ms: Annotated[int, Unit("ms")]
    sentence: str


class Alarms(Snapshot):
    """`alarms`: every alarm that is not inactive, the highest first. What is not in it is not there."""

    version: int
    alarms: tuple[AlarmShown, ...]


class ParameterShown(Snapshot):
    """One parameter: its value, its inclusive range, and who may set it."""

    name: str
    unit: str
    scope: ParamScope
    value: float
    minimum: float
    maximum: float


class Params(Snapshot):
    """`params`: every parameter of the device."""

    version: int
    params: tuple[ParameterShown, ...]
