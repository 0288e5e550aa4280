"""What the device says of itself: each field from where it comes, and nothing changed by saying it."""

from typing import Any

from firmware_sim.commands.statements import heartbeat, identity, telemetry, welcome
from firmware_sim.control import Control
from firmware_sim.ports import Port
from protocols.language import alarm_codes as A
from protocols.language import messages as M
from protocols.language.enums import AlarmPriority, DeviceState, Role
from protocols.language.schema import schema_id
from protocols.language.units import SECOND, Micros
from protocols.language.version import MINOR
from tests.unit.firmware_sim.boards import Bench, armed

S = DeviceState


def hello(minor: int = MINOR) -> M.Hello:
    return M.Hello(
        majors=0b10,
        minor=minor,
        role=Role.CONTROLLER,
        features=0,
        schema_id=0,
        host_id=0xBEEF,
        max_payload_size=224,
        nonce=77,
    )


def welcomed(bench: Bench, asked: M.Hello, role: Role = Role.CONTROLLER) -> M.Welcome:
    port = Port("port", lambda now: heartbeat(bench.board, now))
    port.role = role
    return welcome(Control(bench.board, [port]), port, 9, asked, bench.now)


def test_the_identity_is_that_of_a_simulator_with_its_seed() -> None:
    bench = Bench(needles=4, core_diameter_mm=0.45, cartridge_life_cycles=4_500)
    bench.plant.cartridge.serial = 55
    assert identity(bench.board) == M.DeviceInfoDone(
        model="simulated handpiece",
        serial="SIM-00000007",
        firmware_version="sim-1",
        model_version="1",
        simulated=True,
        has_truth=True,
        seed=7,
        needles=4,
        core_diameter_um=450,
        cartridge_serial=55,
        cartridge_life_cycles=4_500,
    )


def test_a_welcome_answers_its_hello_with_link_role_and_nonce() -> None:
    for role in (Role.CONTROLLER, Role.VIEWER):
        said = welcomed(Bench(), hello(), role)
        assert (said.link_id, said.role, said.nonce, said.minor) == (9, role, 77, MINOR)
        assert (said.features, said.simulated, said.model_version) == (0, True, "1")


def test_a_welcome_names_the_schema_of_the_lower_minor() -> None:
    assert welcomed(Bench(), hello(minor=0)).schema_id == schema_id(0)
    assert welcomed(Bench(), hello(minor=MINOR + 1)).schema_id == schema_id(MINOR)


def test_a_welcome_names_all_four_times_of_a_link() -> None:
    times: dict[str, Any] = {
        "heartbeat_armed_ms": 100,
        "lease_armed_ms": 500,
        "heartbeat_idle_ms": 900,
        "lease_idle_ms": 8_000,
    }
    said = welcomed(Bench(**times), hello())
    assert {name: getattr(said, name) for name in times} == times


def test_a_welcome_tells_where_the_device_stands() -> None:
    bench = armed()
    bench.cycle()
    bench.nvm.acknowledge(3)
    said = welcomed(bench, hello())
    assert (said.boot_count, said.journal_epoch, said.journal_tail) == (1, 1, 3)
    assert said.journal_head == bench.nvm.head > 3
    assert (said.session_no, said.cycle_no, said.cycles, said.punctures, said.cores_counted) == (1, 1, 1, 3, 3)
    assert (said.state, said.uptime_ms) == (S.ARMED, bench.now // 1_000)


def test_a_welcome_names_the_host_that_holds_control_or_0() -> None:
    bench = Bench()
    port = Port("port", lambda now: heartbeat(bench.board, now))
    port.host_id = 0xBEEF
    control = Control(bench.board, [port])
    assert welcome(control, port, 9, hello(), bench.now).controller_host_id == 0
    control.holder = port
    assert welcome(control, port, 9, hello(), bench.now).controller_host_id == 0xBEEF


def test_a_heartbeat_is_a_snapshot_of_the_device() -> None:
    bench = armed()
    bench.cycle()
    bench.board.raise_alarm(A.TOO_HOT, bench.now)
    bench.plant.inputs.trigger_held = True
    assert heartbeat(bench.board, bench.now) == M.Heartbeat(
        state=S.ARMED,
        highest_alarm=AlarmPriority.MEDIUM,
        trigger_held=True,
        running_correlation_id=0,
        cycle_no=1,
        cycles=1,
        punctures=3,
        cores_counted=3,
        journal_head=bench.nvm.head,
        params_hash=bench.parameters.hash,
        uptime_ms=bench.now // 1_000,
    )


def test_a_heartbeat_names_the_command_that_runs() -> None:
    bench = armed()
    bench.ask(M.Purge())
    assert heartbeat(bench.board, bench.now).running_correlation_id == bench.ear.correlation_id != 0


def test_without_a_session_the_totals_are_0() -> None:
    beat, said = heartbeat(Bench().board, Micros(0)), welcomed(Bench(), hello())
    assert (beat.cycles, beat.punctures, beat.cores_counted) == (0, 0, 0)
    assert (said.session_no, said.cycles, said.punctures, said.cores_counted) == (0, 0, 0, 0)


def test_telemetry_is_what_the_sensors_read() -> None:
    bench = armed()
    bench.plant.inputs.pressure_offset_kpa = 3.0
    bench.plant.canister.volume_ul, bench.plant.cartridge.cycles, bench.nvm.flagged = 12.6, 41, 0b10
    read = telemetry(bench.board, bench.now)
    assert (read.uptime_ms, read.state, read.depth_um, read.cell) == (bench.now // 1_000, S.ARMED, 0, 0)
    assert read.vacuum_pa == round((bench.plant.vacuum.pressure_kpa(bench.now) + 3.0) * 1_000)
    assert 295_150 < read.temperature_mk < 296_000, "22 C and a little, in mK"
    assert (read.canister_ul, read.cartridge_cycles, read.flagged) == (13, 41, 0b10)


def test_telemetry_of_a_stroke_has_its_depth_within_what_the_wire_takes() -> None:
    bench = armed(depth_tolerance_um=0)
    bench.ask(bench.punch())
    assert telemetry(bench.board, Micros(bench.now + 30_000)).depth_um == 3_000
    bench.plant.inputs.depth_offset_um = 70_000
    assert telemetry(bench.board, Micros(bench.now + 30_000)).depth_um == 65_535


def test_asking_changes_nothing() -> None:
    bench = armed()
    head = bench.nvm.head
    first = telemetry(bench.board, Micros(bench.now + SECOND)), heartbeat(bench.board, bench.now)
    assert (telemetry(bench.board, Micros(bench.now + SECOND)), heartbeat(bench.board, bench.now)) == first
    assert (bench.nvm.head, bench.board.motion, bench.ear.replayed.count(True)) == (head, None, 0)
