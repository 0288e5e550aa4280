"""`firmware-sim serve --trace`: each port by name, both directions, bad frames with what was expected."""

from pathlib import Path

from protocols.language import messages as M
from protocols.serial.payload import encode_message
from protocols.text.notice import NOTICE
from tests.client import TcpChannel, serial_port, tcp
from tests.e2e.processes import WITH_A_FULL_DEVICE
from tests.programs import firmware_sim, serve


def test_the_trace_of_two_ports(tmp_path: Path) -> None:
    file = tmp_path / "trace.txt"
    with (
        serve("--pty", "--tcp", "127.0.0.1:0", "--seed", "7", "--trace", str(file)) as served,
        serial_port(served.pty, host_id=2) as one,
        tcp(served.tcp) as two,
    ):
        for client in (one, two):
            client.channel.send(b"\0rubbish\0")
            client.link()
            client.echo()
        assert isinstance(two.channel, TcpChannel)
        host, port = two.channel.socket.getsockname()
        assert served.stop() == 0
    lines = file.read_text().splitlines()
    assert lines[0] == NOTICE
    assert "seed 7" in lines[1]
    names = {line.split()[0] for line in lines[2:]}
    assert names == {"pty", f"tcp:{host}:{port}"}
    for name in names:
        own = [line for line in lines[2:] if line.startswith(f"{name} ")]
        assert own[0].endswith("opened")
        assert any("BAD FRAME" in line and b"rubbish".hex() in line for line in own)
        for word in ("host>device  LINK      Hello", "device>host  LINK      Welcome", "Echo ", "EchoDone ", "Bye "):
            assert any(word in line for line in own), (name, word)
    assert any("closed" in line for line in lines)


def test_a_bad_checksum_is_named_with_both_values(tmp_path: Path) -> None:
    file = tmp_path / "trace.txt"
    with serve("--trace", str(file)) as served, tcp(served.tcp) as host:
        host.link()
        damaged = bytearray(encode_message(M.Echo(data=b"abcdefgh"), seq=1, correlation_id=1))
        damaged[damaged.index(b"e")] ^= 0x02
        host.channel.send(bytes(damaged))
        host.echo()
        assert served.stop() == 0
    (line,) = (line for line in file.read_text().splitlines() if "BAD FRAME" in line)
    assert "crc (expected 0x" in line and "received 0x" in line and bytes(damaged).strip(b"\0").hex() in line


def test_a_killed_device_leaves_its_trace(tmp_path: Path) -> None:
    file = tmp_path / "trace.txt"
    with serve("--trace", str(file)) as served, tcp(served.tcp) as host:
        host.link()
        host.echo()
        served.kill()
    assert "EchoDone" in file.read_text().splitlines()[-1]


@WITH_A_FULL_DEVICE
def test_a_full_disk_ends_the_trace_and_not_the_device() -> None:
    with serve("--trace", "/dev/full") as served, tcp(served.tcp) as host:
        host.link()
        host.echo()
        assert served.stop() == 0
        assert served.process.stderr is not None
        said = served.process.stderr.read()
    assert said == "firmware-sim: warning: --trace /dev/full: No space left on device; the trace ends here\n"


def test_a_trace_on_a_standard_error_that_is_closed_is_nobodys() -> None:
    done = firmware_sim("serve", "--trace", "-", "--json", "--max-seconds", "0.1", redirected="2>&-")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1, "the announcement"
