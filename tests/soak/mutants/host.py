"""Mutants of the host: journal, counting, log, recovery, close."""

from typing import Final

from tests.soak.mutants.mutant import Mutant, one

_JOURNAL: Final = "devicectl/session/journal.py"
_RECOVERY: Final = "devicectl/session/recovery.py"
_STEPS: Final = "devicectl/session/steps.py"
_CLOSING: Final = "devicectl/session/closing.py"
_COUNT: Final = "devicectl/session/count.py"
_SUCTION: Final = 'cycle == 4 and phase == "suction"'
_PUNCH: Final = 'cycle == 4 and phase == "punch"'

HOST: Final = (
    Mutant(
        "the journal is acknowledged before its commit",
        _JOURNAL,
        "            yield from self._durable()\n            yield from self._acknowledge()",
        "            yield from self._acknowledge()",
        "acknowledgement",
        (one("log_slow", 'at("0 s")', by_ms=300, for_ms=60_000),),
    ),
    Mutant(
        "one record more is acknowledged than was read",
        _JOURNAL,
        "upto=self.cursor",
        "upto=self.cursor + 1",
        "acknowledgement",
    ),
    Mutant(
        "what was read before a loss is not logged",
        _JOURNAL,
        "            if records:\n                self._emit(Batch",
        "            if len(records) > 6:\n                self._emit(Batch",
        "exactly once",
    ),
    Mutant(
        "what is emitted counts as durable",
        "devicectl/session/context.py",
        "        yield lambda: self._logged >= goal",
        "        yield lambda: self._logged <= goal",
        "acknowledgement",
        (one("log_slow", 'at("0 s")', by_ms=300, for_ms=60_000),),
    ),
    Mutant(
        "the journal is not read after a lost link",
        _RECOVERY,
        "            reader.compare_head(welcome.journal_head)\n            yield from self.catch_up()\n",
        "            reader.compare_head(welcome.journal_head)\n",
        "host",
        (one("reboot", _SUCTION), one("disconnect", _SUCTION)),
    ),
    Mutant(
        "the journal is not read after a stop",
        _RECOVERY,
        "            state = stopped.state\n            yield from self.catch_up()\n",
        "            state = stopped.state\n",
        "host",
        (one("stopped_by_viewer", _SUCTION),),
    ),
    Mutant(
        "cycle numbers go on from the host's own after a loss",
        _RECOVERY,
        "        self._context.last_cycle_no = reader.fold.last_cycle_no or opened.first_cycle_no - 1\n",
        "",
        "host",
        (one("reboot", _PUNCH),),
    ),
    Mutant(
        "the hand's place is not lost with the link",
        _RECOVERY,
        "        self._place_lost()\n",
        "",
        "motion",
        (one("lost_write", "write(63)") + one("torn_write", "write(9)"),),
    ),
    Mutant(
        "a hold is never left",
        _RECOVERY,
        "                yield from ask(M.FaultReset())\n            except CommandRefusedError as refused:\n                if refused.interlock",  # noqa: E501 - text of the code, as it is there
        "                pass\n            except CommandRefusedError as refused:\n                if refused.interlock",  # noqa: E501 - text of the code, as it is there
        "stuck",
        (one("reboot", _SUCTION),),
    ),
    Mutant(
        "the session is closed without a last look at the journal",
        _CLOSING,
        "        yield from reader.read()\n        self._begin_close()\n",
        "        self._begin_close()\n",
        "exactly once",
    ),
    Mutant(
        "the record of the close is not read",
        _CLOSING,
        "        device = yield from self._close_on_device(reason)\n        yield from reader.read()\n",
        "        device = yield from self._close_on_device(reason)\n",
        "exactly once",
    ),
    Mutant(
        "an ambiguous needle does not count as punctured at the host",
        _COUNT,
        "frozenset(NeedleOutcome) - {NeedleOutcome.NOT_PUNCTURED}",
        "frozenset(NeedleOutcome) - {NeedleOutcome.NOT_PUNCTURED, NeedleOutcome.AMBIGUOUS}",
        "exactly once",
        (one("latch_unreadable", _PUNCH),),
    ),
    Mutant(
        "an uncounted needle counts as a core at the host",
        _COUNT,
        "    return punctures, values.count(NeedleOutcome.COUNTED), unknown",
        "    return punctures, values.count(NeedleOutcome.COUNTED) + values.count(NeedleOutcome.UNCOUNTED), unknown",
        "exactly once",
        (one("reboot", _SUCTION),),
    ),
    Mutant(
        "each page is asked for from what was acknowledged",
        _JOURNAL,
        "M.JournalRead(epoch=self.epoch, first=self.cursor, ",
        "M.JournalRead(epoch=self.epoch, first=self._acknowledged, ",
        "exactly once",
    ),
    Mutant(
        "a failed cycle's number is used again",
        _STEPS,
        "            context.last_cycle_no = max(context.last_cycle_no, command.cycle_no)",
        "            pass",
        "host",
        (one("pressure_frozen", _PUNCH, kpa=-10, for_ms=3_000),),
    ),
    Mutant(
        "the host's heartbeat stays slow while it arms",
        _STEPS,
        "        self._context.link.hurry(None)\n",
        "",
        "calm",
    ),
    Mutant(
        "the log does not keep the last record of a batch",
        "devicectl/log/store.py",
        "                self._insert_record.run_many(cursor, records)\n",
        "                self._insert_record.run_many(cursor, records[:-1])\n",
        "exactly once",
    ),
    Mutant(
        "the log keeps a batch that begins beyond its cursor",
        "devicectl/log/store.py",
        "        move = (batch.next_event_no, self.wall(), key, batch.epoch, batch.first_event_no)",
        "        move = (batch.next_event_no + 1, self.wall(), key, batch.epoch, batch.first_event_no)",
        "stuck",
    ),
    Mutant(
        "the session begins to be read one record late",
        "devicectl/session/opening.py",
        "        return page.head\n",
        "        return page.head + 1\n",
        "exactly once",
    ),
)
