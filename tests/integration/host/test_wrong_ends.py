"""Ends that are wrong in every way: the host's error says what came, and a mute one still reads as mute."""

import asyncio
import contextlib
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Final

import pytest

import devicectl
from devicectl.errors import LinkError
from firmware_sim.device import Device
from protocols.language import messages as M
from protocols.language.message import Message
from protocols.language.units import Micros
from protocols.serial.framing import CRC_SIZE, Frame, FrameDecoder, pack_crc, stuff, unpack_header, unstuff
from protocols.serial.payload import decode_message, encode_message
from tests.patience import patience
from tests.unit.protocols.language.altered import altered
from tests.unit.protocols.serial.frames import encode_frame, seal

Answer = Callable[[bytes], bytes]
"""What a wrong end says to a piece of bytes."""


def bodies(data: bytes) -> Iterator[bytes]:
    """Header, payload and checksum of each frame in whole frames."""
    return (unstuff(piece) for piece in data.split(b"\0") if piece)


class RightDevice:
    """Answers as it should, without a clock; what is wrong is done to its answers."""

    def __init__(self) -> None:
        self._device = Device(seed=7)
        self._port = self._device.attach("wrong")

    def __call__(self, data: bytes) -> bytes:
        self._device.receive(self._port, data, Micros(0))
        return b"".join(self._port.exchange.take())


def spoiled(spoil: Callable[[bytes], bytes]) -> Answer:
    device = RightDevice()
    return lambda data: spoil(device(data))


def wrong_checksum(data: bytes) -> bytes:
    return b"".join(b"\0" + stuff(body[:-1] + bytes([body[-1] ^ 1])) + b"\0" for body in bodies(data))


def zlibs_checksum(data: bytes) -> bytes:
    cut = (body[:-CRC_SIZE] for body in bodies(data))
    return b"".join(b"\0" + stuff(body + pack_crc(zlib.crc32(body))) + b"\0" for body in cut)


def changed(change: Callable[[Message], Message | None]) -> Answer:
    """Each message of the right device, changed; None for what stays as it is."""
    device, decoder = RightDevice(), FrameDecoder()

    def answer(data: bytes) -> bytes:
        said = b""
        for frame in decoder.feed(device(data)):
            assert isinstance(frame, Frame)
            header, message = frame.header, decode_message(frame)
            assert message is not None
            said += encode_message(
                change(message) or message, header.seq, header.link_id, header.correlation_id, header.flags
            )
        return said

    return answer


def other_nonce(message: Message) -> Message | None:
    return altered(message, nonce=message.nonce ^ 1) if isinstance(message, M.Welcome) else None


def other_done(message: Message) -> Message | None:
    return M.EchoDone(data=b"") if isinstance(message, M.DeviceInfoDone) else None


def other_link(data: bytes) -> bytes:
    """Everything but WELCOME on a link that nobody has."""
    said = b""
    for body in bodies(data):
        fields = unpack_header(body)
        welcome = (fields[0] & 0x0F, fields[2]) == (M.Welcome.KIND, M.Welcome.ID)
        said += encode_frame(
            fields[0] & 0x0F,
            fields[2],
            body[12:-CRC_SIZE],
            seq=fields[3],
            link_id=fields[4] if welcome else 99,
            correlation_id=fields[5],
            flags=fields[1],
        )
    return said


@contextlib.asynccontextmanager
async def wrong_end(answer: Answer | None, *, greets: bytes = b"", closes: bool = False) -> AsyncIterator[str]:
    """The URL of a server that answers so; `greets` is said at once."""
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        writer.write(greets)
        if closes:
            writer.close()
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(4096):
                if answer is not None:
                    writer.write(answer(data))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for writer in writers:
            writer.close()


async def said_of(answer: Answer | None, **options: object) -> str:
    async with wrong_end(answer, **options) as url:  # type: ignore[arg-type]
        with pytest.raises(LinkError) as caught:
            async with asyncio.timeout(patience()), devicectl.connect(url):
                pass
    said = str(caught.value)
    assert caught.value.exit_code == 3 and said.isprintable()
    return said


MUTE: Final = "the device does not answer: no answer to Hello after 5 tries"


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (spoiled(wrong_checksum), "5 frames came, the CRC of each is wrong;"),
        (spoiled(lambda data: 2 * wrong_checksum(data)), "10 frames came, the CRC of each is wrong;"),
        (spoiled(zlibs_checksum), "5 frames came, the CRC of each is wrong: it is CRC-32, zlib's;"),
        (spoiled(lambda data: bytes(byte & 0x7F for byte in data)), "all below 0x80: is the line set to 7 bits?"),
        (lambda data: b"Port already in use\r\n", "a text came: Port already in use"),
        (lambda data: b"\x85\x90\xf1\xf0", "20 bytes came, and no frame among them: are speed and parity right"),
        (lambda data: bytes(40), "200 bytes came, each of them 0: does something hold the line in break?"),
    ],
    ids=["crc", "crc twice", "zlib", "7 bits", "text", "noise", "zeros"],
)
@pytest.mark.asyncio
async def test_what_came_in_place_of_welcome(answer: Answer, what: str) -> None:
    said = await said_of(answer)
    assert said.startswith(f"{MUTE}: ") and what in said and said.endswith("--trace FILE shows all that comes")


@pytest.mark.asyncio
async def test_a_mute_device_reads_as_mute() -> None:
    assert await said_of(None) == MUTE
    assert await said_of(lambda data: b"\0\0") == MUTE, "a zero more is lawful between frames"


@pytest.mark.asyncio
async def test_telnet_negotiation() -> None:
    said = await said_of(None, greets=b"\xff\xfd\x00\xff\xfb\x00\xff\xfb\x01")
    assert "the first bytes are Telnet negotiation: this port speaks Telnet or RFC 2217" in said


@pytest.mark.asyncio
async def test_a_gateway_that_says_why_and_closes() -> None:
    said = await said_of(None, greets=b"Port already in use\r\n", closes=True)
    assert "a text came: Port already in use;" in said
    assert "Errno" not in said


@pytest.mark.asyncio
async def test_a_welcome_to_another_hello() -> None:
    said = await said_of(changed(other_nonce))
    assert said.startswith(f"{MUTE}: a WELCOME came with nonce ") and ", HELLO had " in said


@pytest.mark.asyncio
async def test_a_done_of_another_command() -> None:
    said = await said_of(changed(other_done))
    assert "no answer to DeviceInfo after 5 tries: EchoDone came with the correlation id" in said
    assert "of DeviceInfo;" in said


@pytest.mark.asyncio
async def test_answers_on_another_link() -> None:
    said = await said_of(spoiled(other_link))
    assert "no answer to DeviceInfo after 5 tries: link 99 is not the link of this end" in said


CHANGED: Final[list[tuple[str, Callable[[bytes], bytes], int]]] = [
    ("XON or XOFF (0x11, 0x13) was swallowed", lambda data: data.replace(b"\x11", b""), 0x4111_4141),
    ("XON or XOFF (0x11, 0x13) was swallowed", lambda data: data.replace(b"\x13", b""), 0x4113_4141),
    ("CR came as LF", lambda data: data.replace(b"\r", b"\n"), 0x410D_4141),
    ("LF came as CR LF", lambda data: data.replace(b"\n", b"\r\n"), 0x410A_4141),
    ("each byte 0xFF came twice, as over Telnet", lambda data: data.replace(b"\xff", b"\xff\xff"), 0x41FF_4141),
]


@pytest.mark.parametrize(("what", "spoil", "uptime_ms"), CHANGED, ids=["xon", "xoff", "icrnl", "onlcr", "telnet"])
@pytest.mark.asyncio
async def test_a_line_that_changes_bytes(what: str, spoil: Callable[[bytes], bytes], uptime_ms: int) -> None:
    def with_the_byte(message: Message) -> Message | None:
        return altered(message, uptime_ms=uptime_ms) if isinstance(message, M.Welcome) else None

    device = changed(with_the_byte)
    said = await said_of(lambda data: spoil(device(data)))
    assert said.startswith(f"{MUTE}: ") and what in said


@pytest.mark.asyncio
async def test_a_line_that_spoils_what_comes_later() -> None:
    """WELCOME has come, and nothing that is wrong with the answers after it stands in the way of saying so."""
    welcome = (M.Welcome.KIND, M.Welcome.ID)
    device = RightDevice()

    def answer(data: bytes) -> bytes:
        said = b""
        for body in bodies(device(data)):
            fields = unpack_header(body)
            whole = seal(body[:-CRC_SIZE])
            said += whole if (fields[0] & 0x0F, fields[2]) == welcome else wrong_checksum(whole)
        return said

    said = await said_of(answer)
    assert "no answer to DeviceInfo after 5 tries: 5 frames came, the CRC of each is wrong;" in said
