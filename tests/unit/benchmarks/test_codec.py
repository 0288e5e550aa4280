"""The codec's benchmark reports what it ran, and names what it could not run."""

import json

import pytest

from benchmarks import codec


def absent() -> dict[str, codec.Case]:
    raise ImportError("not installed")


def test_result_is_json_and_a_missing_peer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    here = {"other/encode": lambda: None, "other/decode": lambda: None}
    monkeypatch.setattr(codec, "PEERS", {"gone": absent, "other": lambda: here})
    monkeypatch.setattr(codec, "CALLS_PER_ROUND", 1)
    monkeypatch.setattr(codec, "GARBAGE_SIZE", 1000)
    result = json.loads(json.dumps(codec.measure(2)))
    assert result["missing"] == ["gone"]
    acts = ("encode", "decode", "construct")
    ours = {f"{name}/{act}" for name in ("ours", "ours (PUNCH)") for act in acts}
    assert set(result["cases"]) == ours | here.keys() | {"struct+crc+cobs/encode", "struct+crc+cobs/decode"}
    assert set(result["ratios"]) == here.keys() | {"struct+crc+cobs/encode", "struct+crc+cobs/decode"}
    assert set(result["garbage"]["cases"]) == {"random bytes", "all zeros", "no zeros"}


def test_ratio_is_their_time_over_ours() -> None:
    seconds = {"ours/encode": [1.0, 2.0, 4.0], "peer/encode": [3.0, 8.0, 12.0]}
    assert codec._ratios(seconds) == {"peer/encode": {"median": 3.0, "best": 3.0}}
