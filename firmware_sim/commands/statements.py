"""Statements of the device about itself: identity, WELCOME, heartbeat, telemetry.

Law: each is a picture of one moment, made of what is there; nothing moves or is changed by it.
"""

from typing import Final

from firmware_sim.board.board import Board
from firmware_sim.control import Control
from firmware_sim.ports import Port
from protocols.language.messages import DeviceInfoDone, Heartbeat, Hello, TelemetryState, Welcome
from protocols.language.schema import schema_id
from protocols.language.units import Micros
from protocols.language.version import MINOR

MODEL: Final = "simulated handpiece"
MODEL_VERSION: Final = "1"
"""Changes with each release with which the same seed gives another session; until the first it stays."""
FIRMWARE_VERSION: Final = "sim-1"


def identity(board: Board) -> DeviceInfoDone:
    """Identify the device."""
    return DeviceInfoDone(
        model=MODEL,
        serial=board.serial,
        firmware_version=FIRMWARE_VERSION,
        model_version=MODEL_VERSION,
        simulated=True,
        has_truth=True,
        seed=board.seed,
        needles=board.plant.needles,
        core_diameter_um=round(board.parameters.core_diameter_mm * 1000),
        cartridge_serial=board.plant.serial_read,
        cartridge_life_cycles=int(board.parameters.limits["cartridge_life_cycles"]),
    )


def welcome(control: Control, port: Port, link_id: int, hello: Hello, now: Micros) -> Welcome:
    """Make the WELCOME that answers `hello` on `port`: the grant of a link, and the device's state.

    Its schema is that of the lower minor, which is all that both ends know.
    """
    board = control.board
    nvm, parameters, totals = board.nvm, board.parameters, board.nvm.totals
    return Welcome(
        link_id=link_id,
        minor=MINOR,
        role=port.role,
        features=0,
        schema_id=schema_id(min(hello.minor, MINOR)),
        nonce=hello.nonce,
        boot_count=nvm.boot_count,
        heartbeat_armed_ms=parameters.heartbeat_armed_ms,
        lease_armed_ms=parameters.lease_armed_ms,
        heartbeat_idle_ms=parameters.heartbeat_idle_ms,
        lease_idle_ms=parameters.lease_idle_ms,
        journal_epoch=nvm.epoch,
        journal_tail=nvm.tail,
        journal_head=nvm.head,
        session_no=totals.session_no,
        cycle_no=nvm.last_cycle_no,
        cycles=totals.cycles,
        punctures=totals.punctures,
        cores_counted=totals.cores_counted,
        state=board.state,
        simulated=True,
        uptime_ms=board.uptime_ms(now),
        controller_host_id=control.host_id,
        model_version=MODEL_VERSION,
    )


def heartbeat(board: Board, now: Micros) -> Heartbeat:
    """Snapshot of the device for a host that has heard nothing for a while."""
    nvm, totals, motion = board.nvm, board.nvm.totals, board.motion
    return Heartbeat.unchecked(
        state=board.state,
        highest_alarm=board.alarms.highest,
        trigger_held=board.plant.trigger_closed,
        running_correlation_id=0 if motion is None else motion.asker.correlation_id,
        cycle_no=nvm.last_cycle_no,
        cycles=totals.cycles,
        punctures=totals.punctures,
        cores_counted=totals.cores_counted,
        journal_head=nvm.head,
        params_hash=board.parameters.hash,
        uptime_ms=board.uptime_ms(now),
    )


def telemetry(board: Board, now: Micros) -> TelemetryState:
    """Readings of the device's sensors."""
    plant = board.plant
    return TelemetryState.unchecked(
        uptime_ms=board.uptime_ms(now),
        state=board.state,
        depth_um=min(0xFFFF, plant.needle.encoder_um(now)),
        vacuum_pa=round(plant.vacuum.sensed_kpa(now) * 1000),
        temperature_mk=round((plant.heat.sensed_c(now) + 273.15) * 1000),
        canister_ul=round(plant.canister.volume_ul),
        cartridge_cycles=plant.cartridge.cycles,
        cell=board.cell,
        flagged=board.nvm.flagged,
    )
