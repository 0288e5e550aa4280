"""The device's parameters: the table of constants with the values that now stand.

Law: a value that is here was checked against its range. Values are plain attributes, since the plant reads them
several times a cycle; the class body lists them once more for the type checker, and a test holds both lists equal.
Those that belong to an interlock's limit are read by its row alone, and are in `limits` by their names.
"""

import difflib
import struct
from collections.abc import Iterable, Mapping
from typing import Final

from firmware_sim.errors import ParameterError, UnknownParameterError
from firmware_sim.model.constants import ORDERED, PARAMETERS
from firmware_sim.model.interlocks import LIMITS
from firmware_sim.model.parameter import Parameter
from protocols.language.checksum import crc32c
from protocols.language.messages.parameters import ParamListDone

__all__ = ["PARAMETERS", "Parameter", "ParameterError", "Parameters", "nearest", "parameters_table"]

_INDEX: Final = {parameter.name: index for index, parameter in enumerate(PARAMETERS)}
_OF_LIMITS: Final = frozenset(name for limit in LIMITS.values() for name in (limit.warn, limit.stop))
_PACK: Final = struct.Struct(f"<{len(PARAMETERS)}d").pack


class Parameters:
    """The values, each readable as an attribute by its name; `hash` is the CRC-32C over all of them in order.

    `set` and the constructor check; assigning to an attribute does not, and leaves `hash` behind. Only a test or
    an instructor's knob (`leak_kpa_s`) may do so.
    """

    __slots__ = (*(name for name in _INDEX if name not in _OF_LIMITS), "hash", "limits")

    needles: int
    core_diameter_mm: float
    depth_tolerance_um: int
    depth_over_um: int
    punch_ms: int
    dwell_ms: int
    retract_ms: int
    suction_ms: int
    advance_ms: int
    count_ms: int
    reposition_mean_s: float
    reposition_sigma: float
    vacuum_set_kpa: float
    vacuum_tau_s: float
    vent_tau_s: float
    vacuum_low_kpa: float
    vacuum_stop_kpa: float
    vacuum_stable_s: float
    arm_timeout_s: float
    core_cost_kpa: float
    leak_kpa_s: float
    evacuate_mid_kpa: float
    evacuate_slope_kpa: float
    miss_p: float
    partial_p: float
    partial_volume: float
    wear_per_cycle: float
    clog_hazard: float
    clog_vacuum_gain: float
    clog_empties: int
    purge_s: float
    purge_p: float
    sensor_false_negative_p: float
    sensor_false_positive_p: float
    canister_ml: float
    fluid_ul_per_core: float
    anesthesia_wait_s: int
    anesthesia_valid_s: int
    count_window: int
    count_warn: int
    count_stop: int
    density_cap_per_cm2: int
    density_warn: float
    heat_tau_s: float
    heat_k_per_w: float
    heat_blocked_k_per_w: float
    heat_w: float
    ambient_c: float
    stall_tries: int
    heartbeat_armed_ms: int
    lease_armed_ms: int
    heartbeat_idle_ms: int
    lease_idle_ms: int
    trigger_required: int
    consumables_keep: int
    blocked_empties: int
    trigger_debounce_ms: int

    def __init__(self, overrides: Mapping[str, float] | None = None) -> None:
        """The defaults, with `overrides` by name in their place.

        Raises:
            ParameterError: an unknown name, a value out of range, or two values out of order.
        """
        self.limits: dict[str, int | float] = {}
        for parameter in PARAMETERS:
            self._put(parameter.name, parameter.default)
        for name, value in (overrides or {}).items():
            self._put(name, _checked(PARAMETERS[self.index_of(name)], value))
        for low, high in ORDERED:
            self._check_order(low, high, blame=high if overrides and high in overrides else low)
        self.hash = self._hash()

    @property
    def count(self) -> int:
        """Return the number of parameters."""
        return len(PARAMETERS)

    def index_of(self, name: str) -> int:
        """The index of the parameter `name`, from 0.

        Raises:
            UnknownParameterError: there is none of that name; the message names the nearest.
        """
        index = _INDEX.get(name)
        if index is None:
            raise UnknownParameterError(name, nearest(name))
        return index

    def value_of(self, name: str) -> float:
        """The value of the parameter `name`.

        Raises:
            ParameterError: there is none of that name.
        """
        return float(self._get(PARAMETERS[self.index_of(name)].name))

    def describe(self, index: int) -> ParamListDone:
        """The parameter at `index`, below `count`, as its descriptor on the wire."""
        parameter = PARAMETERS[index]
        return ParamListDone(
            count=len(PARAMETERS),
            index=index,
            name=parameter.name,
            unit=parameter.unit,
            scope=parameter.scope,
            value=float(self._get(parameter.name)),
            default=float(parameter.default),
            minimum=float(parameter.minimum),
            maximum=float(parameter.maximum),
        )

    def set(self, name: str, value: float) -> None:
        """Give `name` a new value. Whether a host may is the firmware's question: see the descriptor's scope.

        Raises:
            ParameterError: an unknown name, a value out of range, or one out of order with its partner; nothing
                has changed then.
        """
        parameter = PARAMETERS[self.index_of(name)]
        checked = _checked(parameter, value)
        before = self._get(name)
        self._put(name, checked)
        try:
            for low, high in ORDERED:
                if name in (low, high):
                    self._check_order(low, high, blame=name)
        except ParameterError:
            self._put(name, before)
            raise
        self.hash = self._hash()

    def _check_order(self, low: str, high: str, *, blame: str) -> None:
        below, above = self._get(low), self._get(high)
        if below >= above and not (above == 0 and PARAMETERS[_INDEX[high]].zero_is_off):
            raise ParameterError(blame, self._get(blame), f"{low} {below:g} must be below {high} {above:g}")

    def _get(self, name: str) -> int | float:
        value: int | float = self.limits[name] if name in _OF_LIMITS else getattr(self, name)
        return value

    def _put(self, name: str, value: int | float) -> None:
        if name in _OF_LIMITS:
            self.limits[name] = value
        else:
            setattr(self, name, value)

    def _hash(self) -> int:
        return crc32c(_PACK(*(self._get(parameter.name) for parameter in PARAMETERS)))


def nearest(name: str, others: Iterable[str] = ()) -> str:
    """The parameter, or one of `others`, whose name looks most like `name`; "" if none does."""
    return next(iter(difflib.get_close_matches(name, [*_INDEX, *others], n=1)), "")


def _checked(parameter: Parameter, value: float) -> int | float:
    """`value` as the parameter holds it: an int if it is whole."""
    in_range = parameter.minimum <= value <= parameter.maximum  # false for NaN
    if not in_range and not (parameter.zero_is_off and value == 0):
        off = " or 0 for off" if parameter.zero_is_off else ""
        allowed = f"{parameter.minimum:g} to {parameter.maximum:g} {parameter.unit}{off}"
        raise ParameterError(parameter.name, value, f"{value:g} is not in {allowed}")
    if not parameter.whole:
        return float(value)
    if value != int(value):
        raise ParameterError(parameter.name, value, f"{value:g} is not a whole number of {parameter.unit}")
    return int(value)


def parameters_table() -> str:
    """The table as Markdown, for `docs/generated/parameters.md`."""
    lines = [
        "# Parameters",
        "",
        "Generated from `constants.py` and `interlocks.py` of `firmware_sim/model/`. A host may set those marked so; a "
        "device keeps the others.",
        "",
        "| # | name | default | unit | range | set by | basis | why |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for index, row in enumerate(PARAMETERS):
        allowed = f"{row.minimum:g} to {row.maximum:g}" + (", or 0: off" if row.zero_is_off else "")
        who = "host" if row.scope.name == "HOST_SETTABLE" else "start"
        lines.append(
            f"| {index} | `{row.name}` | {row.default:g} | {row.unit} | {allowed} | {who} | {row.basis} | {row.why} |"
        )
    return "\n".join(lines) + "\n"
