"""Mutations of bytes and of JSON, for the fuzzer: flips, edges, runs, what is left out, doubled or spliced."""

import json
from collections.abc import Sequence
from random import Random
from typing import Any, Final

EDGES: Final = b'\x00\x01\x7f\x80\xfe\xff"{'
LONGEST_RUN: Final = 300
"""Bytes that are put in at once: more than a frame has."""
_EDGES_OF_JSON: Final = r"""
null true -1 0 1 255 256 65535 65536 4294967295 4294967296 18446744073709551616 0.5 1e300 NaN
"" "0" "x" "\u0000" "FLY" "zz" [] [[]] [{}] [null] {} {"record":"Cycle"} {"raw":"00"}
"""
EDGE_VALUES: Final = (*_EDGES_OF_JSON.split(), "9" * 400, f'"{"x" * 33}"')
"""JSON of values that are wrong nearly everywhere."""


def mutate(draw: Random, raw: bytes, kept: Sequence[bytes]) -> bytes:
    """Return `raw` with one to four mutations; a splice takes its other half from `kept`."""
    made = bytearray(raw)
    bits = draw.getrandbits(128)
    for _ in range(1 + (bits & 3)):
        kind, place, value = bits >> 2 & 7, (bits >> 5 & 0xFFF) % (len(made) + 1), bits >> 17 & 0xFFFF
        _MUTATIONS[kind](made, place, value, kept)
        bits >>= 31
    return bytes(made)


def _flip(made: bytearray, place: int, value: int, kept: Sequence[bytes]) -> None:
    if place < len(made):
        made[place] ^= 1 << (value & 7)


def _edge(made: bytearray, place: int, value: int, kept: Sequence[bytes]) -> None:
    if place < len(made):
        made[place] = EDGES[value % len(EDGES)]


def _set(made: bytearray, place: int, value: int, kept: Sequence[bytes]) -> None:
    """Write a number over two or four bytes: the least, the greatest, or any."""
    size = 4 if value & 1 else 2
    made[place : place + size] = (bytes(size), b"\xff" * size, value.to_bytes(size, "little"))[value % 3]


def _insert(made: bytearray, place: int, value: int, kept: Sequence[bytes]) -> None:
    made[place:place] = value.to_bytes(2, "little")


def _run(made: bytearray, place: int, value: int, kept: Sequence[bytes]) -> None:
    made[place:place] = (value & 0xFF).to_bytes(1) * (value % LONGEST_RUN)


def _delete(made: bytearray, place: int, value: int, kept: Sequence[bytes]) -> None:
    del made[place : place + value % 40]


def _double(made: bytearray, place: int, value: int, kept: Sequence[bytes]) -> None:
    made[place:place] = made[place : place + value % 40]


def _splice(made: bytearray, place: int, value: int, kept: Sequence[bytes]) -> None:
    made[place:] = kept[value % len(kept)][place:]


_MUTATIONS: Final = (_flip, _edge, _set, _insert, _run, _delete, _double, _splice)


def altered(draw: Random, body: bytes) -> bytes:
    """Return a body with another correlation id, and another value at one to three places."""
    made = json.loads(body)
    made["correlation_id"] = draw.getrandbits(16)
    for _ in range(1 + draw.getrandbits(2) % 3):
        at: Any = made
        while True:
            key = draw.choice(list(at) if isinstance(at, dict) else range(len(at)))
            if not at[key] or not isinstance(at[key], dict | list) or draw.getrandbits(2) == 0:
                break
            at = at[key]
        at[key] = json.loads(draw.choice(EDGE_VALUES))
    return json.dumps(made).encode()
