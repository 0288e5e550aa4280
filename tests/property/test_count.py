"""The fold against a plain recount, over any lawful journal and any way to break one."""

from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from devicectl.session.count import Counts, Fold, reconcile
from protocols.language.enums import Code, Ending, NeedleOutcome, Phase
from protocols.language.records import Boot, Cycle, Record, Refusal, encode_record, pack_outcomes
from tests.unit.protocols.language.altered import altered

FIRST_EVENT_NO = 100
FIRST_CYCLE_NO = 40
ENDINGS = (Ending.COMPLETED, Ending.ABORTED, Ending.AMBIGUOUS)

Step = tuple[Ending, list[NeedleOutcome], int] | str
"""A cycle's ending, its needles' outcomes and its cell; or the name of a record that counts nothing."""

outcomes = st.lists(st.sampled_from(NeedleOutcome), min_size=3, max_size=3)
cycles = st.tuples(st.sampled_from(ENDINGS), outcomes, st.integers(0, 5))
steps = st.lists(st.one_of(cycles, st.sampled_from(["boot", "refusal"])), max_size=40)


def build(steps: list[Step]) -> list[Record]:
    """A lawful journal: consecutive events, consecutive cycle numbers, running totals that are right."""
    journal: list[Record] = []
    cycle_no, punctures, cores = FIRST_CYCLE_NO, 0, 0
    for event_no, step in enumerate(steps, start=FIRST_EVENT_NO):
        match step:
            case "boot":
                journal.append(Boot(event_no=event_no, uptime_ms=0, boot_count=1, open_cycle_no=0, phase=Phase.NONE))
            case "refusal":
                journal.append(
                    Refusal(
                        event_no=event_no, uptime_ms=0, code=Code.E_INTERLOCK, interlock=2, message_id=1, cycle_no=1
                    )
                )
            case (ending, values, cell):
                punctures += sum(value is not NeedleOutcome.NOT_PUNCTURED for value in values)
                cores += values.count(NeedleOutcome.COUNTED)
                journal.append(
                    Cycle(
                        event_no=event_no,
                        uptime_ms=event_no,
                        ending=ending,
                        phase=Phase.COUNT,
                        needles=3,
                        cycle_no=cycle_no,
                        outcomes=pack_outcomes(values),
                        cell=cell,
                        depth_um=3_000,
                        total_punctures=punctures,
                        total_cores_counted=cores,
                    )
                )
                cycle_no += 1
    return journal


def recount(steps: list[Step]) -> Counts:
    """The same counts, the long way."""
    told = [step for step in steps if isinstance(step, tuple)]
    needles = [value for _, values, _ in told for value in values]
    return Counts(
        cycles=len(told),
        completed=sum(ending is Ending.COMPLETED for ending, _, _ in told),
        aborted=sum(ending is Ending.ABORTED for ending, _, _ in told),
        ambiguous=sum(ending is Ending.AMBIGUOUS for ending, _, _ in told),
        punctures=sum(value is not NeedleOutcome.NOT_PUNCTURED for value in needles),
        cores_counted=needles.count(NeedleOutcome.COUNTED),
    )


def fold_of(journal: list[Record]) -> Fold:
    fold = Fold(3, FIRST_CYCLE_NO, first_event_no=FIRST_EVENT_NO)
    for record in journal:
        fold.add(record)
    return fold


@given(steps)
def test_a_lawful_journal_is_counted_and_reconciled(steps: list[Step]) -> None:
    fold = fold_of(build(steps))
    assert fold.counts == recount(steps)
    assert fold.cells == {step[2] for step in steps if isinstance(step, tuple)}
    assert reconcile(fold, recount(steps)).reconciled


@given(steps)
def test_bytes_and_records_fold_alike(steps: list[Step]) -> None:
    journal = build(steps)
    raw = Fold(3, FIRST_CYCLE_NO, first_event_no=FIRST_EVENT_NO)
    for record in journal:
        assert raw.add_raw(encode_record(record)) == record
    plain = fold_of(journal)
    assert (raw.counts, raw.cells, raw.problems, raw.next_event_no) == (
        plain.counts,
        plain.cells,
        plain.problems,
        plain.next_event_no,
    )


@given(steps, st.data())
def test_a_lost_record_never_passes(steps: list[Step], data: st.DataObject) -> None:
    journal = build([*steps, (Ending.COMPLETED, [NeedleOutcome.COUNTED] * 3, 0)])
    lost = data.draw(st.integers(0, len(journal) - 2)) if len(journal) > 1 else None
    if lost is not None:
        fold = fold_of(journal[:lost] + journal[lost + 1 :])
        assert not reconcile(fold, fold.counts).reconciled


@given(steps.filter(bool), st.data())
def test_a_record_again_changes_no_count_and_never_passes(steps: list[Step], data: st.DataObject) -> None:
    journal = build(steps)
    index = data.draw(st.integers(0, len(journal) - 1))
    later = data.draw(st.integers(index + 1, len(journal)))
    fold = fold_of([*journal[:later], journal[index], *journal[later:]])
    assert fold.counts == recount(steps)
    assert not reconcile(fold, fold.counts).reconciled


@given(steps, st.data())
def test_any_difference_in_any_count_shows(steps: list[Step], data: st.DataObject) -> None:
    counts = asdict(recount(steps))
    name = data.draw(st.sampled_from(sorted(counts)))
    counts[name] += data.draw(st.integers(-5, 5).filter(bool))
    verdict = reconcile(fold_of(build(steps)), Counts(**counts))
    assert not verdict.reconciled and [difference.split(":")[0] for difference in verdict.differences] == [name]


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=20), st.integers(1, 8))
def test_no_bytes_raise_or_count_a_needle_twice(records: list[bytes], needles: int) -> None:
    fold = Fold(needles, 1)
    for raw in records:
        fold.add_raw(raw)
    counts = fold.counts
    assert counts.cores_counted <= counts.punctures <= 8 * counts.cycles <= 8 * len(records)


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=20))
def test_each_cycle_number_counts_at_most_once(numbers: list[tuple[int, int]]) -> None:
    fold = Fold(3, 2, first_event_no=0)
    for event_no, cycle_no in numbers:
        (cycle,) = build([(Ending.COMPLETED, [NeedleOutcome.COUNTED] * 3, 0)])
        fold.add(altered(cycle, event_no=event_no, cycle_no=cycle_no))
    assert fold.counts.cycles <= len({cycle_no for _, cycle_no in numbers if cycle_no >= 2})
    assert fold.counts.punctures == 3 * fold.counts.cycles
