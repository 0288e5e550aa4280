"""Counts of one run of a device from its journal; and the truth beside them, kept apart.

Law: counts are a fold of the journal's records. Only what was written since the boot is of this run.
"""

from collections import Counter
from typing import Final

from firmware_sim.device import Device
from firmware_sim.serve.report.tally import Closed
from protocols.language.enums import AlarmState, Ending, NeedleOutcome
from protocols.language.records import AlarmChanged, Cycle, SessionClosed, SessionOpened, decode_record, unpack_outcomes

FOLD_EVERY: Final = 256
"""Journal records; the ring has four times as many, so none is lost before it is read."""


class Run:
    """Fold of the journal from the boot on."""

    def __init__(self, device: Device, first_event_no: int) -> None:
        self._device = device
        self._folded = first_event_no
        self._truths = [device.plant.truth]
        self.endings: Counter[Ending] = Counter()
        self.punctures = 0
        self.cores_counted = 0
        self.sessions_opened: list[int] = []
        self.sessions_closed: list[Closed] = []
        self.alarms: Counter[int] = Counter()

    @property
    def cores_evacuated(self) -> int:
        """Ground truth of all sessions."""
        return sum(truth.cores_evacuated for truth in self._truths)

    def keep_up(self) -> None:
        """Fold before the ring goes round, and hold on to the truth of each session."""
        if self._device.plant.truth is not self._truths[-1]:
            self._truths.append(self._device.plant.truth)
        if self._device.nvm.head - self._folded >= FOLD_EVERY:
            self.fold()

    def fold(self) -> None:
        """Take in what was written since."""
        nvm = self._device.nvm
        _, records = nvm.read(self._folded, nvm.head - self._folded)
        for raw in records:
            record = decode_record(raw)
            if isinstance(record, Cycle):
                outcomes = unpack_outcomes(record.outcomes, record.needles)
                self.endings[record.ending] += 1
                self.punctures += record.needles - outcomes.count(NeedleOutcome.NOT_PUNCTURED)
                self.cores_counted += outcomes.count(NeedleOutcome.COUNTED)
            elif isinstance(record, SessionOpened):
                self.sessions_opened.append(record.session_no)
            elif isinstance(record, SessionClosed):
                closed = Closed(record.session_no, record.reason, record.cycles, record.cores_counted)
                self.sessions_closed.append(closed)
            elif isinstance(record, AlarmChanged) and record.state is AlarmState.ACTIVE:
                self.alarms[record.code] += 1
        self._folded = nvm.head
