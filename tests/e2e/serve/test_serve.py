"""`firmware-sim serve`: hosts come and go over both transports; one controls, the others look."""

import contextlib
import json
import select
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from firmware_sim.control import MAX_VIEWERS
from firmware_sim.serve.transports.tcp import MAX_CONNECTIONS, MAX_UNREAD_BYTES
from protocols.language import messages as M
from protocols.language.enums import ByeReason, Code, DeviceState, Role, Stream
from protocols.language.message import Message
from protocols.language.units import Micros
from protocols.link.happenings import LinkLost
from protocols.serial.framing import FrameDecoder
from protocols.serial.payload import encode_message
from protocols.text.notice import NOTICE
from tests.client import Client, TcpChannel, serial_port, tcp
from tests.e2e.processes import wait_until
from tests.programs import FIRMWARE_SIM, firmware_sim, serve

OPEN = M.SessionOpen(target_cores=30, coverage_bp=400, depth_um=3000, zones_cm2=(1,))


def refused(answer: Message) -> Code:
    assert isinstance(answer, M.Refused), answer
    return answer.code


def opened(client: Client) -> M.SessionOpenDone:
    answer = client.ask(OPEN)
    assert isinstance(answer, M.SessionOpenDone), answer
    return answer


def arm(host: Client) -> None:
    """Take a new session to ARMED."""
    host.link()
    opened(host)
    assert isinstance(host.ask(M.AnesthesiaStart(zone=0, age_s=0, method="cream")), M.AnesthesiaStartDone)
    assert isinstance(host.ask(M.AnesthesiaConfirm(zone=0, confirmed_by="me")), M.AnesthesiaConfirmDone)
    assert isinstance(host.ask(M.Arm()), M.ArmDone)


def test_a_host_on_tcp() -> None:
    with serve("--tcp", "127.0.0.1:0") as served, tcp(served.tcp) as host:
        assert host.link().simulated
        host.echo()


def test_a_host_on_a_pseudo_terminal() -> None:
    with serve("--pty") as served, serial_port(served.pty) as host:
        assert host.link().simulated
        host.echo(bytes(range(224)))


def test_tcp_on_ipv6() -> None:
    with serve("--tcp", "[::1]:0") as served, tcp(served.tcp) as host:
        assert served.urls[0].startswith("tcp://[::1]:")
        host.link()


def test_one_controls_and_others_look() -> None:
    with (
        serve("--pty", "--tcp", "127.0.0.1:0") as served,
        serial_port(served.pty, host_id=1) as first,
        tcp(served.tcp, host_id=2) as second,
        tcp(served.tcp, host_id=3, role=Role.VIEWER) as viewer,
    ):
        for host in (first, second, viewer):
            host.link()
        opened(first)
        assert refused(second.ask(OPEN)) is Code.E_BUSY
        assert refused(viewer.ask(OPEN)) is Code.E_AUTH
        assert isinstance(viewer.ask(M.DeviceInfo()), M.DeviceInfoDone)
        viewer.echo()
        assert isinstance(viewer.ask(M.Stop()), M.StopDone)


def test_an_alarm_goes_to_every_link() -> None:
    with (
        serve("--pty", "--tcp", "127.0.0.1:0", "--param", "anesthesia_wait_s=0") as served,
        tcp(served.tcp, role=Role.VIEWER, host_id=2) as viewer,
    ):
        viewer.link()
        with serial_port(served.pty) as host:
            arm(host)
        # The port is closed without a word: what tells is the lease.
        assert viewer.await_told(M.Alarm)
        with serial_port(served.pty) as host:
            assert host.link().state is DeviceState.SAFE


def test_a_lease_that_ran_out_during_a_stall_has_run_out() -> None:
    """What the system kept for the device meanwhile must not renew it."""
    with serve("--param", "anesthesia_wait_s=0") as served, tcp(served.tcp) as host:
        arm(host)
        assert host.welcome is not None
        served.process.send_signal(signal.SIGSTOP)
        late = host.welcome.lease_armed_ms / 1000 + 0.2
        while host.channel.receive(late):
            pass
        host.channel.send(encode_message(M.HostHeartbeat(), seq=999, link_id=host.exchange.link_id))
        served.process.send_signal(signal.SIGCONT)
        host.pump(lambda: host.lost is not None)
        assert host.link().state is DeviceState.SAFE


@pytest.mark.parametrize("transport", ["pty", "tcp"])
def test_hosts_come_and_go(transport: str) -> None:
    with serve("--pty", "--tcp", "127.0.0.1:0") as served:
        links = set()
        for host_id in (1, 2, 3):
            opening = (
                serial_port(served.pty, host_id=host_id) if transport == "pty" else tcp(served.tcp, host_id=host_id)
            )
            with opening as host:
                links.add(host.link().link_id)
                host.echo()
        assert len(links) == 3


def test_the_next_host_gets_control_once_the_first_is_gone() -> None:
    with serve() as served:
        with tcp(served.tcp, host_id=1) as first:
            first.link()
            number = opened(first).session_no
        with tcp(served.tcp, host_id=2) as second:
            assert second.link().session_no == number


@pytest.mark.parametrize("transport", ["pty", "tcp"])
def test_garbage_before_a_good_frame(transport: str) -> None:
    with (
        serve("--pty", "--tcp", "127.0.0.1:0") as served,
        serial_port(served.pty) if transport == "pty" else tcp(served.tcp) as host,
    ):
        host.channel.send(b"\x00\x11AT+CGMI\r\n\xff\xfe" * 100)
        host.link()
        host.echo()


def test_a_host_that_closes_its_half_still_gets_its_answer() -> None:
    with serve() as served, tcp(served.tcp) as host:
        host.link()
        channel = host.channel
        assert isinstance(channel, TcpChannel)
        channel.send(
            encode_message(M.Echo(data=b"last"), seq=9, link_id=host.exchange.link_id, correlation_id=9, flags=2)
        )
        channel.socket.shutdown(1)
        came = b""
        while data := channel.receive(10):
            came += data
        assert len(FrameDecoder().feed(came)) == 1


def test_connections_beyond_the_bound_take_the_place_of_those_without_a_link() -> None:
    with serve() as served:
        idle = [TcpChannel(served.tcp) for _ in range(MAX_CONNECTIONS)]
        with tcp(served.tcp) as host:
            host.link()
            host.echo()
            assert idle[0].receive(10) is None
            assert idle[1].receive(0) == b""
        for channel in idle:
            channel.socket.close()


def test_connections_beyond_the_bound_are_refused_where_all_have_links() -> None:
    with serve() as served:
        channels = [TcpChannel(served.tcp) for _ in range(MAX_CONNECTIONS)]
        for number, channel in enumerate(channels):
            Client(channel, host_id=number + 1, role=Role.VIEWER if number else Role.CONTROLLER).link()
        one_more = TcpChannel(served.tcp)
        assert one_more.receive(10) is None
        for channel in [*channels, one_more]:
            channel.socket.close()


def test_controllers_that_do_nothing_keep_nobody_out() -> None:
    """Also where each says heartbeats: the oldest gives way, and neither who has control nor a viewer does."""
    with serve("--param", "anesthesia_wait_s=0") as served:
        channels = [TcpChannel(served.tcp) for _ in range(MAX_CONNECTIONS)]
        hosts = [Client(one, host_id=number + 1) for number, one in enumerate(channels[1:])]
        viewer = Client(channels[0], host_id=99, role=Role.VIEWER)
        for host in (viewer, *hosts):
            host.link()
        opened(hosts[0])
        with tcp(served.tcp, host_id=77) as late:
            late.link()
            late.echo()
            viewer.echo()
            hosts[0].echo()
            with pytest.raises((AssertionError, OSError), match="the device closed the channel|Broken pipe|reset"):
                hosts[1].echo()
            hosts[2].echo()
        for channel in channels:
            channel.socket.close()


def test_however_many_look_on_a_controller_gets_in() -> None:
    """One process that looks on by as many connections as there can be had kept everybody out for good."""
    with serve("--param", "anesthesia_wait_s=0") as served:
        channels = [TcpChannel(served.tcp) for _ in range(MAX_VIEWERS + 1)]
        viewers = [Client(one, host_id=100 + number, role=Role.VIEWER) for number, one in enumerate(channels)]
        for viewer in viewers[:-1]:
            viewer.link()
        with pytest.raises(AssertionError, match="15 viewers are linked: .* for a controller"):
            viewers[-1].link()
        viewers[0].link()  # anew: it takes no further place
        with tcp(served.tcp, host_id=7) as controller:
            controller.link()
            opened(controller)
            viewers[1].echo()
        for channel in channels:
            channel.socket.close()


def test_a_place_of_a_viewer_that_has_left_is_free() -> None:
    with serve() as served:
        channels = [TcpChannel(served.tcp) for _ in range(MAX_VIEWERS)]
        for number, channel in enumerate(channels):
            Client(channel, host_id=100 + number, role=Role.VIEWER).link()
        channels[3].socket.close()
        with tcp(served.tcp, host_id=7, role=Role.VIEWER) as late:
            wait_until(lambda: gets_in(late), "a place for another viewer")
        for channel in channels:
            channel.socket.close()


def gets_in(host: Client) -> bool:
    try:
        host.link()
    except AssertionError:
        return False
    return True


FEW: Final = ("sh", "-c", 'ulimit -n 20; exec "$@"', "sh", *FIRMWARE_SIM)


def test_out_of_descriptors_is_said_once_and_connections_are_taken_again() -> None:
    """1,304 tracebacks in 8 s. Idle strangers give way, so that whoever comes last gets in."""
    with serve(program=FEW) as served:
        channels = [TcpChannel(served.tcp) for _ in range(2 * MAX_CONNECTIONS)]
        with tcp(served.tcp, host_id=7) as host:
            host.link()
            host.echo()
            more = [TcpChannel(served.tcp) for _ in range(2 * MAX_CONNECTIONS)]
            host.echo()
        for channel in (*channels, *more):
            channel.socket.close()
        with tcp(served.tcp, host_id=8) as host:
            host.link()
        assert served.stop() == 0
        assert served.process.stderr is not None
        (said,) = served.process.stderr.read().splitlines()
    assert said.startswith("firmware-sim: warning: no connection can be taken: Too many open files; ")


def test_out_of_descriptors_that_hosts_hold_connections_are_taken_when_one_leaves() -> None:
    with serve(program=FEW) as served, contextlib.ExitStack() as stack:
        errors = served.process.stderr
        assert errors is not None
        hosts: list[Client] = []
        while not select.select([errors], [], [], 0)[0]:
            hosts.append(stack.enter_context(tcp(served.tcp, host_id=100 + len(hosts))))
            hosts[-1].greet()
            hosts[-1].pump(lambda: hosts[-1].welcome is not None or bool(select.select([errors], [], [], 0)[0]))
        late, leaving, *others = reversed(hosts)
        for host in others:
            host.echo()
        leaving.channel.socket.close()  # type: ignore[attr-defined]
        late.link()
        late.echo()
        assert served.stop() == 0
        assert len(errors.read().splitlines()) == 1


def test_a_host_that_asks_and_never_reads_is_cut_off_and_the_others_stay() -> None:
    with serve() as served, tcp(served.tcp, role=Role.VIEWER) as greedy, tcp(served.tcp, host_id=2) as patient:
        patient.link()
        greedy.link()
        link_id = greedy.exchange.link_id
        channel = greedy.channel
        assert isinstance(channel, TcpChannel)
        sent = 0
        with pytest.raises(ConnectionError):
            # What the system buffers on the way is some megabytes.
            while sent < 64 * MAX_UNREAD_BYTES:
                echo = M.Echo(data=bytes(224))
                number = sent // 243 % 0xFFFF + 1
                data = encode_message(echo, seq=number, link_id=link_id, correlation_id=number, flags=2)
                channel.send(data)
                sent += len(data)
        patient.echo()


def test_a_pseudo_terminal_that_nobody_reads_loses_and_goes_on() -> None:
    with serve("--pty", "--tcp", "127.0.0.1:0") as served, tcp(served.tcp, host_id=2) as other:
        other.link()
        with serial_port(served.pty) as host:
            host.link()
            assert isinstance(host.ask(M.StreamSet(stream=Stream.STATE, interval_ms=20)), M.StreamSetDone)
            link_id = host.exchange.link_id
            for number in range(100, 400):
                echo = M.Echo(data=bytes(224))
                host.channel.send(encode_message(echo, seq=number, link_id=link_id, correlation_id=number, flags=2))
            other.echo()
        with serial_port(served.pty, host_id=3) as next_host:
            next_host.link()
            next_host.echo()


def test_a_host_that_is_told_goodbye() -> None:
    with serve("--pty", "--tcp", "127.0.0.1:0") as served, tcp(served.tcp) as one, tcp(served.tcp, host_id=2) as two:
        one.link()
        two.link()
        assert served.stop() == 0
        for host in (one, two):
            bye = next(item for item in host.exchange.receive(host.channel.receive(10) or b"", Micros(0)))
            assert isinstance(bye, LinkLost) and ByeReason.CLOSING.name in bye.reason


@pytest.mark.parametrize("bridge", ["a pty for TCP", "TCP for a pty"])
def test_behind_a_bridge(bridge: str, program: Callable[[str], str]) -> None:
    socat = program("socat")
    option = "--tcp=127.0.0.1:0" if bridge == "a pty for TCP" else "--pty"
    with serve(option) as served:
        if bridge == "a pty for TCP":
            ends = ["PTY,rawer", "TCP:{}:{}".format(*served.tcp)]
        else:
            ends = ["TCP-LISTEN:0,bind=127.0.0.1", f"FILE:{served.pty},rawer"]
        with subprocess.Popen([socat, "-d", "-d", *ends], stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            try:
                # It says where it listens: "... N PTY is /dev/pts/3", or "... N listening on AF=2 127.0.0.1:45678"
                where = next(line for line in process.stderr if "PTY is" in line or "listening on" in line).split()[-1]
                with (
                    serial_port(where)
                    if bridge == "a pty for TCP"
                    else tcp(("127.0.0.1", int(where.rpartition(":")[2]))) as host
                ):
                    host.link()
                    host.echo(bytes(range(200)))
            finally:
                process.terminate()


def test_the_announcement() -> None:
    with serve("--pty", "--tcp", "127.0.0.1:0", "--seed", "7", "--param", "anesthesia_wait_s=1") as served:
        said = served.said
        assert said["notice"] == NOTICE and said["simulated"] is True
        assert said["seed"] == 7 and said["serial"] == "SIM-00000007" and said["pid"] == served.process.pid
        assert said["parameters"] == {"anesthesia_wait_s": 1}
        assert [url.partition(":")[0] for url in served.urls] == ["serial", "tcp"]
        with tcp(served.tcp) as host:
            host.link()
            info = host.ask(M.DeviceInfo())
            assert isinstance(info, M.DeviceInfoDone) and info.seed == 7
            value = host.ask(M.ParamGet(name="anesthesia_wait_s"))
            assert isinstance(value, M.ParamGetDone) and value.value == 1
    assert served.process.stdout is not None


def test_the_announcement_for_people() -> None:
    done = firmware_sim("serve", "--pty", "--tcp", "0.0.0.0:0", "--seed", "7", "--max-seconds", "0.01")
    notice, device, *rest = done.stdout.splitlines()
    assert notice == NOTICE
    assert "SIM-00000007" in device and "seed 7" in device
    assert rest[0].startswith("HANDPIECE_URL=serial:///")
    # Where it listens to every address, a host on this machine uses this one; and a person is warned.
    assert rest[1].startswith("HANDPIECE_URL=tcp://127.0.0.1:")
    assert rest[2].startswith("warning: ") and rest[1].rpartition(":")[2] in rest[2]


def test_a_seed_is_drawn_where_none_is_given() -> None:
    with serve() as one, serve() as two:
        assert one.said["seed"] != two.said["seed"]


def test_the_ready_file_is_there_while_it_answers(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    ready.write_text("left over by a device that was killed")
    with serve("--ready-file", str(ready)) as served:
        assert json.loads(ready.read_text()) == served.said
        assert served.stop() == 0
    assert list(tmp_path.iterdir()) == []
