"""Gateways that speak RFC 2217 badly, late, or not at all: one sentence each, never a hang."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

import devicectl
from devicectl import Plan
from devicectl.errors import LinkError
from devicectl.transports.rfc2217 import MAX_ANSWER_TIMEOUT_S
from firmware_sim.clock import monotonic
from firmware_sim.model.parameters import Parameters
from firmware_sim.powering import power_on
from firmware_sim.serve.real_time import RealTimeDevice
from firmware_sim.serve.transports.rfc2217 import PortConnection
from firmware_sim.serve.transports.tcp import Address, listen
from protocols.telnet.codec import Verb, negotiate
from protocols.telnet.com_port import ANSWER, Control, Word, say
from protocols.telnet.options import Option
from tests.patience import patience

AGREED = b"".join(
    negotiate(verb, option)
    for verb, option in ((Verb.DO, Option.COM_PORT), (Verb.DO, Option.BINARY), (Verb.WILL, Option.BINARY))
)


@contextlib.asynccontextmanager
async def gateway(greets: bytes, *, closes: bool = False) -> AsyncIterator[str]:
    """The address of a server that says `greets`, and nothing else whatever it is asked."""

    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.write(greets)
        if closes:
            await reader.read(1)
            writer.close()
        with contextlib.suppress(ConnectionError):
            while await reader.read(4096):
                pass

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for writer in writers:
            writer.close()


@pytest.mark.parametrize(
    ("greets", "options", "said"),
    [
        (b"", "", "no answer to WILL COM-PORT within {} s"),
        (
            b"Welcome to the switch\r\nlogin: ",
            "",
            "no answer to WILL COM-PORT within {} s: Welcome to the switch login:",
        ),
        (bytes(100_000), "", "no answer to WILL COM-PORT within {} s"),
        (
            negotiate(Verb.DONT, Option.COM_PORT),
            "",
            "it refuses RFC 2217 (COM-PORT-OPTION): is it a plain Telnet port?",
        ),
        (AGREED, "", "no answer to SET-BAUDRATE 115200 within {} s"),
        (AGREED + say(Word.SET_BAUDRATE + ANSWER, 9600), "", "it refuses baud 115200 and has 9600"),
        (
            AGREED
            + say(Word.SET_BAUDRATE + ANSWER, 115200)
            + b"".join(say(word + ANSWER, value) for word, value in ((2, 8), (3, 1), (4, 1))),
            "&dtr=0",
            "no answer to SET-CONTROL DTR off within {} s; with ign_set_control it is not waited for",
        ),
        (AGREED + say(Word.SET_CONTROL + ANSWER, Control.DTR_ON), "&dtr=0", "it refuses DTR off and has DTR on"),
    ],
    ids=["mute", "a login", "a flood of zeros", "plain", "no settings", "baud", "no lines", "lines"],
)
@pytest.mark.asyncio
async def test_a_port_that_cannot_be_opened(greets: bytes, options: str, said: str) -> None:
    limit = min(MAX_ANSWER_TIMEOUT_S, patience(0.3) if "{}" in said else MAX_ANSWER_TIMEOUT_S)
    async with gateway(greets) as address:
        with pytest.raises(LinkError) as caught:
            async with (
                asyncio.timeout(patience()),
                devicectl.connect(f"rfc2217://{address}?timeout={limit:g}{options}"),
            ):
                pass
    said = said.format(f"{limit:g}")
    assert str(caught.value) == f"cannot open the serial port at {address}: {said}" and caught.value.exit_code == 3


@pytest.mark.asyncio
async def test_a_gateway_that_hangs_up() -> None:
    async with gateway(AGREED, closes=True) as address:
        with pytest.raises(LinkError, match="the gateway closed the connection"):
            async with asyncio.timeout(patience()), devicectl.connect(f"rfc2217://{address}"):
                pass


@pytest.mark.asyncio
async def test_nobody_listens() -> None:
    with pytest.raises(LinkError, match="cannot connect to 127.0.0.1:1: Connection refused"):
        async with devicectl.connect("rfc2217://127.0.0.1:1"):
            pass


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[str]:
    """A device at a port of RFC 2217, in this process."""
    device = power_on(7, Parameters({"anesthesia_wait_s": 0.0, "reposition_mean_s": 0.01}), None, monotonic())
    running = RealTimeDevice(device)
    listener = await listen(running, Address("127.0.0.1", 0), "rfc2217", PortConnection)
    try:
        yield str(listener.address)
    finally:
        running.close()
        await listener.close()


@pytest.mark.parametrize("options", ["", "?baud=57600&dtr=0&rts=1", "?rtscts=1&wait=0.1", "?ign_set_control"])
@pytest.mark.asyncio
async def test_a_session(options: str) -> None:
    async with (
        asyncio.timeout(patience()),
        served() as address,
        devicectl.connect(f"rfc2217://{address}{options}") as handpiece,
        handpiece.open_session(Plan(target_cores=6)) as session,
    ):
        await session.confirm_anesthesia()
        async for _ in session.run():
            pass
    assert session.summary.reconciled and session.summary.cores_counted >= 6
