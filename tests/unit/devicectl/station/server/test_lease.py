from devicectl.station.server.lease import LATE_US, LEASE_US, NOBODY, TriggerLease
from protocols.language.units import Micros

PAGE = 7
OTHER = 8


def held_by(holder: int = PAGE) -> TriggerLease:
    lease = TriggerLease()
    lease.take(holder, Micros(0))
    return lease


def looked(lease: TriggerLease, until: int, since: int = 0) -> str:
    """Look in time, again and again, until then; the last answer."""
    said = ""
    for now in (*range(since, until, LATE_US), until):
        said = lease.over(Micros(now))
    return said


def test_lease_is_over_without_renewal_until_it_is_dropped() -> None:
    lease = held_by()
    assert looked(lease, LEASE_US - 1) == "" and lease.held
    assert lease.over(LEASE_US) == "lease" and lease.over(LEASE_US) == "lease"
    lease.drop()
    assert lease.over(LEASE_US) == "" and not lease.held


def test_holder_renews_it_and_nobody_else() -> None:
    lease = held_by()
    lease.renew(PAGE, Micros(LEASE_US - 1))
    lease.renew(OTHER, Micros(2 * LEASE_US - 2))
    assert looked(lease, 2 * LEASE_US - 2) == ""
    assert lease.over(Micros(2 * LEASE_US - 1)) == "lease"


def test_another_page_that_presses_gets_no_lease() -> None:
    lease = held_by()
    lease.take(OTHER, Micros(LEASE_US - 1))
    lease.take(NOBODY, Micros(LEASE_US - 1))
    assert looked(lease, LEASE_US) == "lease"


def test_page_that_presses_takes_the_lease_of_nobody() -> None:
    lease = held_by(NOBODY)
    lease.take(PAGE, Micros(LEASE_US - 1))
    lease.take(NOBODY, Micros(LEASE_US - 1))
    lease.renew(PAGE, Micros(LEASE_US))
    assert looked(lease, 2 * LEASE_US - 1) == ""
    lease.lose(PAGE)
    assert lease.over(Micros(2 * LEASE_US - 1)) == "connection"


def test_socket_that_goes_lets_go_of_its_own_trigger_alone() -> None:
    lease = held_by()
    lease.lose(OTHER)
    assert lease.over(Micros(0)) == ""
    lease.lose(PAGE)
    assert lease.over(Micros(0)) == "connection"
    lease.drop()
    lease.take(OTHER, Micros(0))
    assert lease.over(Micros(0)) == ""


def test_look_that_comes_late_lets_nobody_go_whose_renewals_were_not_read_yet() -> None:
    lease = held_by()
    assert lease.over(Micros(10 * LEASE_US)) == ""
    lease.renew(PAGE, Micros(10 * LEASE_US))
    assert lease.over(Micros(10 * LEASE_US)) == "" and looked(lease, 11 * LEASE_US, 10 * LEASE_US) == "lease"


def test_server_that_is_always_late_excuses_one_look_alone() -> None:
    lease = held_by()
    assert lease.over(Micros(10 * LEASE_US)) == ""
    assert lease.over(Micros(20 * LEASE_US)) == "lease"
