"""URLs of simulated devices: options, and what is refused before anything is started."""

import pytest

from devicectl.errors import UrlError
from devicectl.transports.simulated import MAX_SEED, parse, parse_speed
from devicectl.transports.urls import SCHEMES, DeviceUrl

SERVED = ["sim+tcp", "sim+pty", "sim+mqtt"]


def parsed(text: str) -> DeviceUrl:
    return parse(text, SCHEMES[text.partition(":")[0]])


def refused(text: str) -> UrlError:
    with pytest.raises(UrlError) as caught:
        parsed(text)
    return caught.value


def test_every_option_of_virtual_time() -> None:
    url = parsed("sim://?seed=7&nvm=a%20b.nvm&baud=9600&speed=2.5&leak_kpa_s=-0.5")
    assert (url.seed, url.nvm, url.baud, url.speed) == (7, "a b.nvm", 9_600, 2.5)
    assert url.parameters == {"leak_kpa_s": -0.5} and url.simulated and url.served == ()


def test_what_is_left_out_is_left_open() -> None:
    url = parsed("sim://")
    assert (url.seed, url.nvm, url.baud, url.speed, url.parameters) == (None, None, 0, None, {})


@pytest.mark.parametrize("scheme", SERVED)
def test_a_served_device_has_no_baud_rate_and_no_speed_of_time(scheme: str) -> None:
    """They are taken for parameters, which the device's own table refuses."""
    url = parsed(f"{scheme}://?seed=7&baud=9600&speed=2")
    assert (url.baud, url.speed) == (0, None) and url.parameters == {"baud": 9_600.0, "speed": 2.0}
    assert url.served == SCHEMES[scheme].served != ()


@pytest.mark.parametrize("text", ["sim://host", "sim://host:1", "sim+tcp:///path", "sim://7?seed=7"])
def test_an_address_is_refused(text: str) -> None:
    error = refused(text)
    assert error.part == "address" and "brings its own device; options follow a ?" in error.reason


@pytest.mark.parametrize("seed", [0, 7, MAX_SEED])
def test_a_seed_is_a_whole_number_of_63_bits(seed: int) -> None:
    assert parsed(f"sim://?seed={seed}").seed == seed


@pytest.mark.parametrize("seed", ["-1", "1.5", str(2**63), "x", ""])
def test_any_other_seed_is_refused(seed: str) -> None:
    assert refused(f"sim://?seed={seed}").part == "seed"


@pytest.mark.parametrize("nvm", ["", "%00", "a%0Ab"])
def test_a_memory_that_is_no_files_name_is_refused(nvm: str) -> None:
    error = refused(f"sim+pty://?nvm={nvm}")
    assert (error.part, error.reason) == ("nvm", "its value is no file")
    assert str(error).endswith("for example sim+pty://?nvm=handpiece.nvm")


@pytest.mark.parametrize(("value", "speed"), [("max", None), ("0.01", 0.01), ("1", 1.0), ("10000", 10_000.0)])
def test_a_speed_is_max_or_a_factor(value: str, speed: float | None) -> None:
    assert parse_speed("sim://", value) == speed


@pytest.mark.parametrize("value", ["0.009", "10001", "0", "-1", "fast", "Max", ""])
def test_any_other_speed_is_refused(value: str) -> None:
    with pytest.raises(UrlError) as caught:
        parse_speed("sim://", value)
    assert caught.value.part == "speed" and str(caught.value).endswith("for example sim://?speed=1")


def test_a_parameter_that_is_no_number_is_refused() -> None:
    error = refused("sim+tcp://?punch_ms=many")
    assert error.part == "punch_ms" and str(error).endswith("for example sim+tcp://?punch_ms=1")
