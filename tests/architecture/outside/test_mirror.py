"""`tests/unit` mirrors the tree: a pure module has its test module at the same path, unless it only declares.

Law: an entry of the list names the test that holds the module. It leaves the list with its own test.
"""

from typing import Final

from tests.architecture.tree import ROOT, modules, pure_names, tracked

DECLARED: Final = {
    "devicectl.campaign.broker": "integration/campaign/test_kinds.py",
    "devicectl.campaign.judges.ledgers": "unit/devicectl/campaign/test_judges.py",
    "devicectl.campaign.many.junit": "e2e/cli/test_campaign.py",
    "devicectl.campaign.many.unseen": "integration/campaign/test_campaign.py",
    "devicectl.conformance.device.cases.beginnings": "integration/conformance/test_simulator.py",
    "devicectl.conformance.device.cases.brokers": "e2e/conformance/test_wires.py",
    "devicectl.conformance.device.cases.cycles": "integration/conformance/test_simulator.py",
    "devicectl.conformance.controller.cases.adversity": "unit/devicectl/conformance/controller/test_catalogue.py",
    "devicectl.conformance.controller.cases.brokers": "unit/devicectl/conformance/controller/test_catalogue.py",
    "devicectl.conformance.controller.cases.declare": "unit/devicectl/conformance/controller/test_catalogue.py",
    "devicectl.conformance.controller.cases.links": "unit/devicectl/conformance/controller/test_catalogue.py",
    "devicectl.conformance.controller.cases.nonsense": "unit/devicectl/conformance/controller/test_catalogue.py",
    "devicectl.conformance.controller.cases.plain": "unit/devicectl/conformance/controller/test_catalogue.py",
    "devicectl.conformance.device.cases.faults": "integration/conformance/test_simulator.py",
    "devicectl.conformance.device.cases.frames": "integration/conformance/test_simulator.py",
    "devicectl.conformance.device.cases.interlocks": "integration/conformance/test_simulator.py",
    "devicectl.conformance.device.cases.journals": "integration/conformance/test_simulator.py",
    "devicectl.conformance.device.cases.leases": "integration/conformance/test_simulator.py",
    "devicectl.conformance.device.cases.links": "integration/conformance/test_simulator.py",
    "devicectl.conformance.device.cases.payloads": "integration/conformance/test_simulator.py",
    "devicectl.conformance.device.cases.power": "integration/conformance/test_simulator.py",
    "devicectl.conformance.device.linked": "unit/devicectl/conformance/device/test_ground.py",
    "devicectl.simulation.bench": "unit/devicectl/conformance/device/test_ground.py",
    "devicectl.simulation.lesson_form": "unit/devicectl/station/test_lesson_file.py",
    "devicectl.station.lesson": "unit/devicectl/station/test_lesson_file.py",
    "devicectl.station.possible": "unit/devicectl/station/test_lesson_file.py",
    "devicectl.transports.port": "integration/host/test_real_time_host.py",
    "protocols.language.errors": "unit/protocols/language/test_records.py",
    "protocols.language.message": "unit/protocols/language/test_messages.py",
    "protocols.language.messages.alarms": "unit/protocols/language/test_messages.py",
    "protocols.language.messages.identity": "unit/protocols/language/test_messages.py",
    "protocols.language.messages.journal": "unit/protocols/language/test_messages.py",
    "protocols.language.messages.link": "unit/protocols/language/test_messages.py",
    "protocols.language.messages.parameters": "unit/protocols/language/test_messages.py",
    "protocols.language.messages.procedure": "unit/protocols/language/test_messages.py",
    "protocols.language.messages.simulation": "unit/protocols/language/test_messages.py",
    "protocols.language.messages.telemetry": "unit/protocols/language/test_messages.py",
    "protocols.link.happenings": "unit/protocols/link/test_exchange.py",
    "protocols.link.statistics": "integration/device/test_statistics.py",
    "protocols.telnet.happenings": "unit/protocols/telnet/test_port.py",
    "protocols.text.notice": "unit/protocols/test_trace.py",
}
"""Names and shapes alone, which a test of their own could only repeat -> the test that uses them, below `tests`."""

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
    assert not [name for name in _pure_modules() if name not in DECLARED and not _there(_place(name))]


def test_the_list_names_what_is_there_and_only_what_has_no_test_of_its_own() -> None:
    pure = set(_pure_modules())
    assert not [name for name in DECLARED if name not in pure or _there(_place(name))]
    assert not [test for test in DECLARED.values() if not _there(test)]


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
