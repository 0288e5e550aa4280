"""The exceptions of the device: one line each that says what is right, and what a caller branches on."""

import pytest

from firmware_sim.errors import (
    NvmError,
    NvmFileError,
    ParameterError,
    SeedError,
    SimulatorError,
    UnknownParameterError,
)

RAISED = [
    (ParameterError("needles", 9, "9 is not in 1 to 8 needles"), "needles: 9 is not in 1 to 8 needles"),
    (UnknownParameterError("needels", "needles"), "needels: no such parameter; did you mean needles?"),
    (UnknownParameterError("zzz", ""), "zzz: no such parameter"),
    (SeedError(9, 7), "the memory is of the device with seed 9, not 7"),
    (NvmError("no cycle is open"), "no cycle is open"),
    (NvmFileError("/a/file", "no space left"), "/a/file: no space left"),
]


@pytest.mark.parametrize(("error", "line"), RAISED, ids=lambda value: type(value).__name__)
def test_an_error_is_one_line(error: SimulatorError, line: str) -> None:
    assert isinstance(error, SimulatorError)
    assert str(error) == line


def test_an_error_of_a_parameter_names_it_and_the_value_and_is_a_value_error() -> None:
    error = ParameterError("needles", 9, "too many")
    assert (error.name, error.value, error.reason) == ("needles", 9, "too many")
    assert isinstance(error, ValueError)


def test_an_unknown_parameter_has_no_value_and_the_nearest_name() -> None:
    error = UnknownParameterError("needels", "needles")
    assert (error.name, error.value, error.nearest) == ("needels", None, "needles")
    assert isinstance(error, ParameterError)


def test_an_error_of_a_seed_names_both_and_one_of_a_file_its_path() -> None:
    seed, file = SeedError(9, 7), NvmFileError("/a/file", "no space left")
    assert (seed.kept, seed.wanted) == (9, 7)
    assert (file.path, file.reason) == ("/a/file", "no space left")
