"""Over MQTT: what a command costs beyond its motion, beside bare round trips of the same client library.

One Mosquitto on this machine; behind it a handpiece and a bare responder, a process each. In each round the bare
requester asks `ROUND_TRIPS` times, the host as many times for an ECHO, and a session does a few cycles: of its motions
with a fixed duration (suction, advance, count) the time from the command to DONE is taken, less that duration.

The bare pair acknowledges what it receives at once, as ours does, so that the two differ in what they say and not in
how they set up their sockets; what the library does without that is measured too, with fewer round trips.

python -m benchmarks.mqtt KIND PORT      the bare responder
"""

import asyncio
import contextlib
import socket
import statistics
import sys
import timeit
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Final

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

import devicectl
from devicectl import clock
from devicectl.handpiece import Handpiece
from devicectl.session.procedures import Procedure
from devicectl.simulation.broker import mosquitto
from devicectl.simulation.process import simulator
from devicectl.transports.urls import parse_url
from handpiece_shell.broker_client import BrokerClient
from protocols.language.messages import Advance, Count, Echo, Received, Suction
from protocols.language.units import MILLISECOND, Micros
from protocols.mqtt.bodies import decode_body
from protocols.mqtt.wire import Publication

ROUND_TRIPS: Final = 200
PACED_ROUND_TRIPS: Final = 40
PACE_S: Final = 0.06
"""Between a session's motions everybody sleeps, and is slower to wake than one who never did."""
LIBRARY_ROUND_TRIPS: Final = 20
"""They take 90 ms each where the broker leaves Nagle's algorithm on."""
TARGET_CORES: Final = 12
"""Four or five cycles a round, each with three motions that are taken."""
DEVICE: Final = "sim+mqtt://?anesthesia_wait_s=1&reposition_mean_s=0.5&vacuum_tau_s=0.1&vent_tau_s=0.05"
PAYLOAD: Final = b'{"message":"Echo","seq":12,"link_id":1,"correlation_id":12,"payload":{"data":"0001020304050607"}}'
_MOTIONS: Final = (Suction, Advance, Count)


# --- bare ----------------------------------------------------------------------------------------------------------


CLIENTS: Final[dict[str, type[aiomqtt.Client]]] = {"bare": BrokerClient, "library": aiomqtt.Client}


def _client(kind: str, port: int) -> aiomqtt.Client:
    no_delay = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return CLIENTS[kind](
        "127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5, socket_options=(no_delay,) if kind == "bare" else ()
    )


async def respond(kind: str, port: int) -> None:
    """Give each request back to where it wants its answer, until this process is ended."""
    async with _client(kind, port) as client:
        await client.subscribe(f"{kind}/request", qos=1)
        print("ready", flush=True)
        async for message in client.messages:
            wanted: Any = message.properties
            answer = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            answer.CorrelationData = wanted.CorrelationData
            await client.publish(wanted.ResponseTopic, message.payload, qos=1, properties=answer)


@contextlib.asynccontextmanager
async def _responder(kind: str, port: int) -> AsyncIterator[None]:
    line = [sys.executable, "-m", "benchmarks.mqtt", kind, str(port)]
    process = await asyncio.create_subprocess_exec(*line, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        await process.stdout.readline()
        yield
    finally:
        process.terminate()
        await process.wait()


async def bare_round_trips(kind: str, port: int, count: int, pause_s: float = 0.0) -> list[float]:
    """Milliseconds of each, `pause_s` apart: QoS 1 both ways, a response topic, one reader."""
    taken: list[float] = []
    async with _client(kind, port) as client:
        await client.subscribe(f"{kind}/reply", qos=1)
        answers = aiter(client.messages)
        for number in range(count):
            wanted = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            wanted.ResponseTopic, wanted.CorrelationData = f"{kind}/reply", b"%d" % number
            start = timeit.default_timer()
            await client.publish(f"{kind}/request", PAYLOAD, qos=1, properties=wanted)
            await anext(answers)
            taken.append((timeit.default_timer() - start) * 1e3)
            if pause_s:
                await clock.pause(pause_s)
    return taken


# --- ours ----------------------------------------------------------------------------------------------------------


def _echo() -> Procedure[None]:
    yield Echo(data=bytes(range(8)))


async def echo_round_trips(handpiece: Handpiece) -> list[float]:
    """Milliseconds of each ECHO, through the engine and both ends' whole protocol."""
    taken: list[float] = []
    for _ in range(ROUND_TRIPS):
        start = timeit.default_timer()
        await handpiece.driver.perform(_echo())
        taken.append((timeit.default_timer() - start) * 1e3)
    return taken


async def motions(url: str) -> list[float]:
    """Milliseconds from each command to its DONE, less the motion's own duration."""
    heard: list[tuple[str, Publication, Micros]] = []
    plan = devicectl.Plan(target_cores=TARGET_CORES)
    async with (
        devicectl.connect(url, tap=lambda sender, data, now: heard.append((sender, data, now))) as handpiece,
        handpiece.open_session(plan) as session,
    ):
        await session.confirm_anesthesia()
        async for _ in session.run():
            pass
    sent: dict[int, Micros] = {}
    expected: dict[int, int] = {}
    taken: list[float] = []
    for sender, publication, now in heard:
        header, message, _ = decode_body(publication.body, None, "")
        number = header.correlation_id
        if sender == "host" and isinstance(message, _MOTIONS):
            sent[number] = now
        elif number in sent and isinstance(message, Received):
            expected[number] = message.expected_ms * MILLISECOND
        elif number in expected:
            taken.append((now - sent.pop(number) - expected.pop(number)) / MILLISECOND)
    return taken


# --- all -----------------------------------------------------------------------------------------------------------


async def _measure(rounds: int) -> dict[str, Any]:
    medians: dict[str, list[float]] = {"bare": [], "paced": [], "library": [], "echo": [], "motion": []}
    every: dict[str, list[float]] = {name: [] for name in medians}
    async with contextlib.AsyncExitStack() as stack:
        target = await stack.enter_async_context(simulator(replace(parse_url(DEVICE), seed=7)))
        for kind in CLIENTS:
            await stack.enter_async_context(_responder(kind, target.port))
        for _ in range(rounds):
            cases = {
                "bare": await bare_round_trips("bare", target.port, ROUND_TRIPS),
                "paced": await bare_round_trips("bare", target.port, PACED_ROUND_TRIPS, PACE_S),
                "library": await bare_round_trips("library", target.port, LIBRARY_ROUND_TRIPS),
            }
            async with devicectl.connect(target) as handpiece:
                cases["echo"] = await echo_round_trips(handpiece)
            cases["motion"] = await motions(target.text)
            for name, taken in cases.items():
                medians[name].append(statistics.median(taken))
                every[name] += taken
    return {
        "round_trips": ROUND_TRIPS,
        "rounds": rounds,
        "ms": {name: _figures(taken) for name, taken in every.items()},
        "of_bare": _ratios(medians, "bare"),
        "of_paced": _ratios(medians, "paced"),
    }


def _ratios(medians: dict[str, list[float]], base: str) -> dict[str, float]:
    """Each case over `base`: the median of the rounds' ratios."""
    return {
        name: round(statistics.median(mine / theirs for mine, theirs in zip(taken, medians[base], strict=True)), 2)
        for name, taken in medians.items()
    }


def _figures(taken: list[float]) -> dict[str, float]:
    ordered = sorted(taken)
    return {
        "median": round(statistics.median(ordered), 3),
        "p95": round(ordered[len(ordered) * 95 // 100], 3),
        "most": round(ordered[-1], 3),
    }


def measure(rounds: int) -> dict[str, Any]:
    """All of it; empty where Mosquitto is not installed."""
    return asyncio.run(_measure(rounds)) if mosquitto() is not None else {}


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(respond(sys.argv[1], int(sys.argv[2])))
