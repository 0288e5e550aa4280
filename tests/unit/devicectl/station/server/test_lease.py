from devicectl.station.server.lease import LEASE_US, TriggerLease
from protocols.language.units import Micros

PAGE = 7
OTHER = 8


def test_lease_lapses_without_renewal_once() -> None:
    lease = TriggerLease()
    lease.take(PAGE, Micros(0))
    assert not lease.lapsed(Micros(LEASE_US - 1)) and lease.held
    assert lease.lapsed(LEASE_US) and not lease.held
    assert not lease.lapsed(Micros(2 * LEASE_US))


def test_holder_renews_it_and_nobody_else() -> None:
    lease = TriggerLease()
    lease.take(PAGE, Micros(0))
    lease.renew(PAGE, Micros(LEASE_US - 1))
    lease.renew(OTHER, Micros(2 * LEASE_US - 2))
    assert not lease.lapsed(Micros(2 * LEASE_US - 2))
    assert lease.lapsed(Micros(2 * LEASE_US - 1))


def test_trigger_that_was_let_go_lapses_no_more() -> None:
    lease = TriggerLease()
    lease.take(PAGE, Micros(0))
    lease.drop()
    assert not lease.lapsed(Micros(2 * LEASE_US)) and not lease.lost(PAGE)


def test_socket_that_goes_lets_go_of_its_own_trigger_alone() -> None:
    lease = TriggerLease()
    lease.take(PAGE, Micros(0))
    assert not lease.lost(OTHER) and lease.held
    assert lease.lost(PAGE) and not lease.held
