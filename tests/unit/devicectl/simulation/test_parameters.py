"""The parameters of a simulated URL: the device's own table is the judge, before anything is opened."""

import pytest

from devicectl.errors import UrlError
from devicectl.simulation.parameters import parameters_of
from devicectl.transports.urls import parse_url
from firmware_sim.model.parameters import Parameters


def refused(text: str) -> UrlError:
    with pytest.raises(UrlError) as caught:
        parameters_of(parse_url(text))
    assert caught.value.exit_code == 2 and "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("scheme", ["sim", "sim+tcp", "sim+pty", "sim+mqtt"])
def test_the_values_of_the_url_stand_in_place_of_the_defaults(scheme: str) -> None:
    parameters = parameters_of(parse_url(f"{scheme}://?seed=7&anesthesia_wait_s=1&leak_kpa_s=0.5"))
    assert (parameters.anesthesia_wait_s, parameters.leak_kpa_s) == (1, 0.5)
    assert parameters_of(parse_url(f"{scheme}://")).hash == Parameters().hash


def test_an_unknown_name_is_refused_with_the_nearest_and_where_all_are_listed() -> None:
    error = refused("sim://?anesthesia_wait=1")
    assert error.part == "anesthesia_wait"
    where = "(`firmware-sim serve --help` lists the parameters)"
    assert error.reason == f"no such option or parameter; did you mean anesthesia_wait_s? {where}"
    assert str(error).endswith("; for example sim://?seed=7&anesthesia_wait_s=1")


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("sim://?speeed=2", "speed"),
        ("sim://?bauds=9600", "baud"),
        ("sim+tcp://?sed=7", "seed"),
        ("sim://?sed=7", "seed"),
    ],
)
def test_an_option_may_be_the_nearest(text: str, nearest: str) -> None:
    assert f"did you mean {nearest}?" in refused(text).reason


@pytest.mark.parametrize("option", ["speeed", "bauds"])
def test_an_option_that_only_virtual_time_has_is_not_named_to_a_served_device(option: str) -> None:
    assert "did you mean speed?" not in refused(f"sim+tcp://?{option}=2").reason
    assert "did you mean baud?" not in refused(f"sim+tcp://?{option}=2").reason


def test_a_name_that_resembles_none_has_no_hint() -> None:
    assert "did you mean" not in refused("sim://?qqqqqqqq=1").reason


def test_a_value_out_of_its_range_is_refused_with_the_range() -> None:
    error = refused("sim+tcp://?needles=99")
    assert error.part == "needles" and "99" in error.reason
    assert str(error).endswith("; for example sim+tcp://?seed=7&anesthesia_wait_s=1")
