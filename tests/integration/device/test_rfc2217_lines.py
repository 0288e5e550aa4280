"""Serial ports by RFC 2217 in this process: a line that takes its time, and hosts that go without a word."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest

import devicectl
from devicectl import Plan, clock
from firmware_sim.clock import monotonic
from firmware_sim.model.parameters import Parameters
from firmware_sim.powering import power_on
from firmware_sim.serve.real_time import RealTimeDevice
from firmware_sim.serve.transports import rfc2217
from firmware_sim.serve.transports.rfc2217 import PacedConnection, PortConnection
from firmware_sim.serve.transports.slow_line import SlowLine
from firmware_sim.serve.transports.tcp import Address, Listener, listen
from protocols.language.units import MILLISECOND, SECOND
from protocols.telnet.com_port import LineSettings, LineState, ModemState, Purge, Word, say
from protocols.telnet.port import MAX_HELD_BYTES, POWERED
from tests.patience import deadline, patience

QUICK = {"anesthesia_wait_s": 0.0, "reposition_mean_s": 0.01}


@contextlib.asynccontextmanager
async def served(connection: type[PortConnection] = PacedConnection) -> AsyncIterator[Listener]:
    running = RealTimeDevice(power_on(7, Parameters(QUICK), None, monotonic()))
    listener = await listen(running, Address("127.0.0.1", 0), "rfc2217", connection)
    try:
        yield listener
    finally:
        running.close()
        await listener.close()


async def until(said: asyncio.StreamReader, what: bytes) -> bytes:
    """Read to the end of `what`."""
    found = b""
    async with asyncio.timeout(patience()):
        while not found.endswith(what):
            found += await said.readexactly(1)
    return found


@pytest.mark.asyncio
async def test_what_is_put_in_comes_out_in_order_and_not_before_its_time() -> None:
    came: list[tuple[bytes, int]] = []
    line = SlowLine(lambda data: came.append((data, monotonic())))
    begun = monotonic()
    line.us_per_byte = 1_000.0
    line.carry(b"0123456789")
    line.carry(b"abcde")
    assert line.size == 15 and came == []
    last = deadline()
    while len(came) < 2:
        assert monotonic() < last
        await clock.pause(0.001)
    assert [data for data, _ in came] == [b"0123456789", b"abcde"] and line.size == 0
    assert came[0][1] - begun >= 10 * MILLISECOND and came[1][1] - begun >= 15 * MILLISECOND
    line.us_per_byte = 60.0 * SECOND
    line.carry(b"for an hour")
    line.clear()
    line.us_per_byte = 0.0
    line.carry(b"at once")
    while len(came) < 3:
        assert monotonic() < last
        await clock.pause(0.001)
    assert came[2][0] == b"at once" and line.size == 0


@pytest.mark.asyncio
async def test_a_session_at_9600_baud_takes_its_time_and_no_frame_comes_in_vain() -> None:
    async with asyncio.timeout(patience()), served() as listener:
        begun = monotonic()
        async with (
            devicectl.connect(f"rfc2217://{listener.address}?baud=9600") as handpiece,
            handpiece.open_session(Plan(target_cores=6)) as session,
        ):
            await session.confirm_anesthesia()
            async for _ in session.run():
                pass
        assert session.summary.reconciled
        frames_at_least = 30
        assert monotonic() - begun > frames_at_least * 20 * LineSettings(9600).bits_per_byte * SECOND / 9600


@pytest.mark.asyncio
async def test_a_purge_drops_what_is_under_way() -> None:
    async with served() as listener:
        reader, writer = await asyncio.open_connection(listener.address.host, listener.address.port)
        writer.write(say(Word.SET_BAUDRATE, 50))
        await until(reader, say(Word.SET_BAUDRATE + 100, 50))
        (connection,) = listener._connections
        assert isinstance(connection, PacedConnection)
        writer.write(b"a minute of a line" + say(Word.SIGNATURE))
        await until(reader, b"NOT A MEDICAL DEVICE\xff\xf0")
        connection._put(b"as slow as that")
        assert (connection._to_device.size, connection._to_host.size) == (18, 15)
        writer.write(say(Word.PURGE_DATA, Purge.UNSENT))
        await until(reader, say(Word.PURGE_DATA + 100, Purge.UNSENT))
        assert (connection._to_device.size, connection._to_host.size) == (0, 15)
        writer.write(say(Word.PURGE_DATA, Purge.RECEIVED))
        await until(reader, say(Word.PURGE_DATA + 100, Purge.RECEIVED))
        assert connection._to_host.size == 0
        writer.close()


@pytest.mark.parametrize("connection", [PacedConnection, PortConnection])
@pytest.mark.asyncio
async def test_what_is_kept_is_bounded_and_a_loss_is_reported(connection: type[PortConnection]) -> None:
    async with served(connection) as listener:
        reader, writer = await asyncio.open_connection(listener.address.host, listener.address.port)
        writer.write(say(Word.SET_LINESTATE_MASK, LineState.OVERRUN) + say(Word.SET_BAUDRATE, 50))
        writer.write(say(Word.FLOWCONTROL_SUSPEND) + say(Word.SIGNATURE))
        await until(reader, b"NOT A MEDICAL DEVICE\xff\xf0")
        (one,) = listener._connections
        assert isinstance(one, PortConnection)
        send = one._put if isinstance(one, PacedConnection) else one._send
        for _ in range(MAX_HELD_BYTES // 1000 + 1):
            send(bytes(1000))
        await until(reader, say(Word.NOTIFY_LINESTATE + 100, LineState.OVERRUN))
        if isinstance(one, PacedConnection):
            assert one._to_host.size <= MAX_HELD_BYTES
            writer.write(bytes(1 << 20))
            last = deadline()
            while one._transport.is_reading():
                assert monotonic() < last
                await clock.pause(0.001)
            assert one._to_device.size < 2 * MAX_HELD_BYTES
        else:
            assert one._serial.held_bytes <= MAX_HELD_BYTES
        writer.transport.abort()


@pytest.mark.asyncio
async def test_each_connection_asks_a_silent_host_whether_it_is_there() -> None:
    async with served(PortConnection) as listener:
        reader, writer = await asyncio.open_connection(listener.address.host, listener.address.port)
        await reader.readexactly(1)
        (connection,) = listener._connections
        sock = connection._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        for name, value in rfc2217.KEEPALIVE.items():
            assert sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) == value
        writer.close()


TCP_REPAIR = 19
"""Of Linux: a socket in repair is closed without a word to the other end."""


@pytest.mark.asyncio
async def test_a_host_that_vanishes_without_a_word_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rfc2217, "KEEPALIVE", dict.fromkeys(rfc2217.KEEPALIVE, 1))
    async with served(PortConnection) as listener:
        host = socket.create_connection(listener.address[:2], patience())
        try:
            last = deadline()
            while not listener._connections:
                assert monotonic() < last
                await clock.pause(0.01)
            (connection,) = listener._connections
            try:
                host.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
            except OSError:
                pytest.skip("this user may not close a socket without a word")
        finally:
            host.close()
        async with asyncio.timeout(patience()):
            await connection.gone
        assert listener._connections == []


@pytest.mark.asyncio
async def test_a_device_without_power_has_no_lines() -> None:
    running = RealTimeDevice(power_on(7, Parameters(QUICK), None, monotonic()))
    listener = await listen(running, Address("127.0.0.1", 0), "rfc2217", PortConnection)
    reader, writer = await asyncio.open_connection(listener.address.host, listener.address.port)
    writer.write(say(Word.NOTIFY_MODEMSTATE))
    await until(reader, say(Word.NOTIFY_MODEMSTATE + 100, POWERED))
    running.device.power_off(monotonic())
    gone = ModemState.CTS_CHANGED | ModemState.DSR_CHANGED | ModemState.CARRIER_CHANGED
    await until(reader, say(Word.NOTIFY_MODEMSTATE + 100, gone))
    writer.close()
    await listener.close()
