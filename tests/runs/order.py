"""In which order the processes of a run take the tests: what takes longest first, and what waits beside what computes.

How it works: `--dist worksteal` cuts the list of tests into one share for each process, as even as can be, and one that
has done its share takes the second half of another's. A test of a minute that is met at the end is waited for by all
others, and processes that all wait at a time leave the cores with nothing to do. So half of the shares begin with the
modules that wait longest, the other half with those that compute longest. The others stay in the order that they have.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Final, TypeVar

T = TypeVar("T")

WAIT: Final = (
    "tests/e2e/others/test_c_device.py",
    "tests/e2e/serve/test_real_transports.py",
    "tests/e2e/others/test_examples.py",
    "tests/e2e/station/test_foreign_host.py",
    "tests/e2e/mqtt/test_mqtt_sessions.py",
    "tests/architecture/docs/test_readme.py",
    "tests/e2e/conformance/test_wires.py",
    "tests/e2e/others/test_c_host.py",
    "tests/e2e/others/test_conform_controller.py",
    "tests/e2e/others/test_conform_broker.py",
    "tests/e2e/conformance/test_bad_devices.py",
    "tests/e2e/serve/test_serve_record.py",
    "tests/e2e/cli/test_unread_output.py",
    "tests/integration/plugin/test_ci_example.py",
)
"""Modules with tests that wait long, or with many that do; the longest first."""
WORK: Final = (
    "tests/integration/device/test_statistics.py",
    "tests/integration/campaign/test_campaign.py",
    "tests/e2e/cli/test_campaign.py",
    "tests/e2e/others/test_tutorial.py",
    "tests/unit/devicectl/campaign/many/test_draw.py",
    "tests/regressions/test_alarm_gone_without_a_record.py",
    "tests/integration/test_minors.py",
    "tests/soak/test_kills.py",
    "tests/soak/test_matrix.py",
    "tests/e2e/cli/test_cli_run.py",
)
"""Modules with tests that compute long; the longest first."""


def begun_early(tests: Sequence[tuple[str, T]], processes: int) -> list[T]:
    """Put `tests`, each a module's name and the test, into the order for so many processes.

    The tests of a module stay together, but where one share ends and the next begins.
    """
    modules = {name: [test for _, test in group] for name, group in groupby(tests, key=lambda pair: pair[0])}
    if processes < 2 or sum(map(len, modules.values())) != len(tests):  # a module in two pieces: somebody's own order
        return [test for _, test in tests]
    shares: list[list[T]] = [[] for _ in range(processes)]
    waiting = (processes + 1) // 2
    for names, its in ((WAIT, shares[:waiting]), (WORK, shares[waiting:])):
        for place, name in enumerate(name for name in names if name in modules):
            its[place % len(its)] += modules.pop(name)
    others = [test for module in modules.values() for test in module]
    ordered: list[T] = []
    for before, share in enumerate(shares):
        fair = (len(tests) - len(ordered)) // (processes - before)
        rest = max(0, fair - len(share)) if before < processes - 1 else len(others)
        ordered += [*share, *others[:rest]]
        del others[:rest]
    return ordered
