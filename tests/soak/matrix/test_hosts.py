"""The kill matrix of hosts: each MUST that a host can break is seen broken by the kit."""

from collections.abc import Callable

import pytest

from tests.soak.matrix.host_runner import KEPT, MUSTS, UNSEEN, attempt, killers
from tests.soak.matrix.hosts import HOSTS, SEEN_BY
from tests.soak.matrix.kept import attempt_all, read
from tests.soak.mutants.mutant import Mutant
from tests.soak.mutants.runner import misplaced

LEAST = 15
QUICK = HOSTS[::7]


def test_the_text_of_each_defect_is_there_once_and_its_name_is_its_own() -> None:
    assert misplaced(HOSTS) == []
    assert len({host.name for host in HOSTS}) == len(HOSTS) >= LEAST
    assert set(SEEN_BY) <= {host.judge for host in HOSTS} <= {rule.id for rule in MUSTS}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("host", QUICK, ids=lambda host: host.name)
def test_a_defect_is_seen_by_the_cases_of_its_rule(host: Mutant, program: Callable[[str], str]) -> None:
    program("mosquitto")
    tried = attempt(host)
    assert tried.failed == read(KEPT)[host.name], tried.said


def test_each_must_is_seen_broken_or_has_its_reason() -> None:
    assert {rule for rule, found in killers().items() if not found} == set(UNSEEN)


def test_every_host_is_seen_by_its_own_rule() -> None:
    assert [host.name for host in HOSTS if host.judge not in read(KEPT)[host.name]] == []
    assert set(read(KEPT)) == {host.name for host in HOSTS}


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
def test_each_defect_is_seen_as_the_page_says(program: Callable[[str], str]) -> None:
    program("mosquitto")
    assert {one.name: one.failed for one in attempt_all(attempt, HOSTS, 4)} == read(KEPT)
