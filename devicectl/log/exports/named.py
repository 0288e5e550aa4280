"""Contents of a journal record by names that people know: of commands, needles, zones and alarms."""

from enum import Enum
from typing import Final

from devicectl.log.rows import outcome_names
from devicectl.session.count import MAX_NEEDLES, tally
from devicectl.session.plan import Plan
from protocols.language.alarm_codes import alarm_label
from protocols.language.enums import Kind, RecordKind
from protocols.language.errors import MessageError
from protocols.language.message import REGISTRY
from protocols.language.records import (
    KIND_OFFSET,
    Action,
    AlarmChanged,
    Anesthesia,
    Cycle,
    Record,
    Refusal,
    decode_record,
    event_no_of,
)
from protocols.mqtt.topics import topic_name

NO_CELL: Final = 0xFFFF
"""In an action's record: the hand was at no cell."""


def read(raw: bytes) -> Record | None:
    """A record; None for one that this version cannot read."""
    try:
        return decode_record(raw)
    except MessageError:
        return None


def kind_of(raw: bytes) -> str:
    """A record's kind, such as `alarm`, also of one that is not known here."""
    kind = RecordKind(raw[KIND_OFFSET])
    return kind.name.lower() if kind is not RecordKind.UNKNOWN else f"unknown {raw[KIND_OFFSET]}"


def uptime_ms_of(raw: bytes) -> int:
    """A record's time, also of one that is not known here."""
    return int.from_bytes(raw[4:8], "little")


def fields_of(raw: bytes) -> dict[str, object]:
    """A record's fields by name, for programs; of one that this version cannot read, its head and bytes."""
    record = read(raw)
    fields: dict[str, object] = {"event_no": event_no_of(raw), "kind": kind_of(raw), "uptime_ms": uptime_ms_of(raw)}
    if record is not None:
        fields |= {name: _plain(value) for name, value in record.as_dict().items() if name not in fields}
    if isinstance(record, Action | Refusal):
        fields["message"] = command_name(record.message_id)
    elif isinstance(record, AlarmChanged):
        fields["label"] = alarm_label(record.code)
    elif isinstance(record, Cycle):
        fields["punctures"], fields["cores_counted"], _ = tally(record.outcomes, min(record.needles, MAX_NEEDLES))
        fields["outcomes"] = outcomes_of(record)
    return fields | {"raw": raw.hex()}


def outcomes_of(record: Cycle) -> list[str]:
    """Each needle's outcome by name."""
    return outcome_names(record.outcomes, min(record.needles, MAX_NEEDLES))


def told(raw: bytes, plan: Plan) -> tuple[str, str]:
    """A record in a name and a detail, for people."""
    record = read(raw)
    fields: dict[str, object] = (
        {} if record is None else {name: _plain(value) for name, value in record.as_dict().items()}
    )
    for column in ("event_no", "uptime_ms"):
        fields.pop(column, None)
    if fields.get("interlock") == 0:
        fields.pop("interlock")  # none
    if isinstance(record, Refusal):
        fields.pop("cycle_no")  # a column of its own
    name = kind_of(raw)
    if isinstance(record, Action | Refusal):
        name = command_name(record.message_id)
        del fields["message_id"]
    elif isinstance(record, AlarmChanged):
        name = alarm_label(record.code)
        del fields["code"]
    if isinstance(record, Action):
        fields = {"zone": zone_of(plan, record.cell), "cell": record.cell} if record.cell != NO_CELL else {}
    elif isinstance(record, Anesthesia):
        named = dict(enumerate(zone.name for zone in plan.zones))
        confirmed = "yes" if record.confirmed else "no"
        fields |= {"zone": named.get(record.zone, str(record.zone)), "confirmed": confirmed}
    elif isinstance(record, Cycle):
        fields["outcomes"] = " ".join(outcomes_of(record))
    return name, ", ".join(f"{field} {value}" for field, value in fields.items())


def zone_of(plan: Plan, cell: int) -> str:
    """The name of the zone that a cell is in, which is numbered through all zones; empty where it is in none."""
    for zone in plan.zones:
        if cell < zone.area_cm2:
            return zone.name
        cell -= zone.area_cm2
    return ""


def command_name(message_id: int) -> str:
    """A command as people write it, such as `fault_reset`; one that is not known here by its number."""
    model = REGISTRY.get((Kind.COMMAND, message_id))
    return f"message 0x{message_id:04x}" if model is None else topic_name(model.__name__)


def _plain(value: object) -> object:
    return value.name.lower() if isinstance(value, Enum) else value
