"""An anesthesia's age over boots, wraps and hosts: never younger than the truth.

What happens to a device is drawn; its journal, and what a host that comes later knows, follow from it.
"""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from devicectl.session.device_time import CLOCKS_DIFFER_MS, WRAP_MS, AnesthesiaClock
from protocols.language import records as R
from protocols.language.enums import Phase
from protocols.language.messages.procedure import MAX_ANESTHESIA_AGE_S
from tests.integration.log.log_builders import a_cycle

MOST_OFF_MS = 100_000_000
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["time goes by", "cycle", "boot", "boot that ends a cycle", "numbed again", "gap"]),
        st.one_of(st.integers(1, 10_000), st.integers(1, MOST_OFF_MS)),
    ),
    max_size=12,
)


@dataclass
class Device:
    """A device as it really is: `now_ms` is true time, `injected_ms` when the zone was really numbed."""

    up_since_ms: int
    now_ms: int = 0
    injected_ms: int = 0
    records: list[R.Record] = field(default_factory=list)

    @property
    def uptime_ms(self) -> int:
        return (self.now_ms - self.up_since_ms) % WRAP_MS

    def numb(self, age_s: int) -> None:
        self.injected_ms = self.now_ms - age_s * 1_000
        self._write(R.Anesthesia(event_no=1, uptime_ms=self.uptime_ms, zone=0, confirmed=0, age_s=age_s))

    def suffer(self, what: str, duration_ms: int) -> None:
        if what.startswith("boot"):
            self.now_ms += duration_ms  # it is off meanwhile
            self.up_since_ms = self.now_ms
            if what == "boot that ends a cycle":
                self._write(a_cycle(1, uptime_ms=0))
            self._write(R.Boot(event_no=1, uptime_ms=0, boot_count=2, open_cycle_no=0, phase=Phase.NONE))
            return
        self.now_ms += duration_ms
        if what == "cycle":
            self._write(a_cycle(1, uptime_ms=self.uptime_ms))
        elif what == "numbed again":
            self.numb(0)
        elif what == "gap":
            self._write(R.Gap(event_no=1, uptime_ms=0, missing=2))

    def _write(self, record: R.Record) -> None:
        self.records.append(record)


@given(
    first_uptime_ms=st.one_of(st.integers(0, 5_000), st.integers(WRAP_MS - 100_000_000, WRAP_MS - 1)),
    opened_before_ms=st.integers(0, 5_000_000),
    age_s=st.integers(0, 3_600),
    steps=STEPS,
    heard_late_ms=st.integers(0, 2_600),
    has_clock=st.booleans(),
)
def test_an_age_that_is_told_is_never_younger_than_the_anesthesia(
    first_uptime_ms: int,
    opened_before_ms: int,
    age_s: int,
    steps: list[tuple[str, int]],
    heard_late_ms: int,
    has_clock: bool,
) -> None:
    device = Device(up_since_ms=-first_uptime_ms)
    device.numb(age_s)
    for what, duration_ms in steps:
        device.suffer(what, duration_ms)
    clock = AnesthesiaClock()
    for record in device.records:
        clock.add(record)
    open_s = (device.now_ms + opened_before_ms) / 1_000 if has_clock else None
    [age] = clock.ages((device.uptime_ms + heard_late_ms) % WRAP_MS, open_s).values()
    truth_s = (device.now_ms - device.injected_ms) / 1_000
    assert min(truth_s, MAX_ANESTHESIA_AGE_S) <= age.most_s <= MAX_ANESTHESIA_AGE_S
    assert age.least_s <= age.most_s
    assert age.least_s <= truth_s + heard_late_ms / 1_000 + 1.001
    since = device.records[max(n for n, record in enumerate(device.records) if isinstance(record, R.Anesthesia)) :]
    restarted = any(isinstance(record, R.Boot | R.Gap) for record in since)
    if not restarted and device.now_ms + opened_before_ms < WRAP_MS - CLOCKS_DIFFER_MS:
        assert age.most_s == age.least_s  # no older than need be
