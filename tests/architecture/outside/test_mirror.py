"""`tests/unit` mirrors the tree: a pure module has its test module at the same path, or is on the list here.

Law: an entry of the list names the test that holds the module. It leaves the list with its own test.
"""

from typing import Final

from tests.architecture.tree import ROOT, modules, pure_names, tracked

DECLARED: Final = {
    "devicectl.transports.port": "integration/host/test_real_time_host.py",
    "protocols.language.alarm_codes": "unit/firmware_sim/board/test_alarms.py",
    "protocols.language.checksum": "unit/protocols/serial/test_framing.py",
    "protocols.language.enums": "unit/protocols/language/test_messages.py",
    "protocols.language.errors": "unit/protocols/language/test_records.py",
    "protocols.language.fields": "unit/protocols/language/test_messages.py",
    "protocols.language.interlocks": "unit/firmware_sim/board/test_alarms.py",
    "protocols.language.message": "unit/protocols/language/test_messages.py",
    "protocols.language.messages.alarms": "unit/protocols/language/test_messages.py",
    "protocols.language.messages.identity": "unit/protocols/language/test_messages.py",
    "protocols.language.messages.journal": "unit/protocols/language/test_messages.py",
    "protocols.language.messages.link": "unit/protocols/language/test_messages.py",
    "protocols.language.messages.parameters": "unit/protocols/language/test_messages.py",
    "protocols.language.messages.procedure": "unit/protocols/language/test_messages.py",
    "protocols.language.messages.simulation": "unit/protocols/language/test_messages.py",
    "protocols.language.messages.telemetry": "unit/protocols/language/test_messages.py",
    "protocols.language.units": "unit/protocols/language/test_messages.py",
    "protocols.language.version": "unit/protocols/serial/test_payload.py",
    "protocols.link.happenings": "unit/protocols/link/test_exchange.py",
    "protocols.link.statistics": "integration/device/test_statistics.py",
    "protocols.text.notice": "unit/protocols/test_trace.py",
}
"""Names, numbers and shapes: they decide little or nothing, and are held by the first test that uses them."""

PARTS: Final = {
    "protocols.language.layouts": "unit/protocols/published/test_vectors.py",
    "protocols.language.schema": "integration/test_minors.py",
    "protocols.serial.crc_mistakes": "unit/protocols/serial/test_diagnosis.py",
}
"""Parts of one thing that is tested as that thing: an exchange by its two ends, a memory by what it gives back."""

HELD_BY: Final = {**DECLARED, **PARTS}
"""Pure module -> the test that holds it in place of one of its own, below `tests`."""

OTHER_SUBJECTS: Final = {
    "unit/devicectl/cli/test_trace_option.py": "an option, whose parts are in three modules",
    "unit/devicectl/test_public_names.py": "what the package gives out",
    "unit/devicectl/testing/test_questions.py": "the program of the package, in its __main__",
    "unit/protocols/published/test_contract.py": "the published documents as a judge of what is sent",
    "unit/protocols/published/test_vectors.py": "the golden frames, which are data",
    "unit/test_patience.py": "a helper of the tests",
}
"""Test module of `tests/unit` that has no module of its name -> its subject."""


def _pure_modules() -> list[str]:
    """Return the modules of the pure core, without what only marks a package."""
    whole = tuple(pure_names())
    parts = tuple(f"{name}." for name in whole)
    named = [(name, path) for name, path in modules() if name in whole or name.startswith(parts)]
    return [name for name, path in named if path.name != "__init__.py"]


def _place(module: str) -> str:
    folder, _, name = module.replace(".", "/").rpartition("/")
    return f"unit/{folder}/test_{name}.py"


def _there(test: str) -> bool:
    return (ROOT / "tests" / test).is_file()


def test_every_pure_module_has_its_test_or_names_another() -> None:
    assert not [name for name in _pure_modules() if name not in HELD_BY and not _there(_place(name))]


def test_the_list_names_what_is_there_and_only_what_has_no_test_of_its_own() -> None:
    pure = set(_pure_modules())
    assert not [name for name in HELD_BY if name not in pure or _there(_place(name))]
    assert len(HELD_BY) == len(DECLARED) + len(PARTS)
    assert not [test for test in HELD_BY.values() if not _there(test)]


def test_every_unit_test_is_at_its_modules_place() -> None:
    strays = [name for name in _unit_tests() if not _has_a_module(name)]
    assert strays == sorted(OTHER_SUBJECTS)


def _unit_tests() -> list[str]:
    names = (path.relative_to(ROOT / "tests") for path in tracked() if path.is_relative_to(ROOT / "tests" / "unit"))
    return [name.as_posix() for name in names if name.name.startswith("test_")]


def _has_a_module(test: str) -> bool:
    """Return True if a module, or a package, is at the place of a unit test."""
    place = ROOT / test.removeprefix("unit/").replace("/test_", "/").removesuffix(".py")
    return place.with_suffix(".py").is_file() or (place / "__init__.py").is_file()
