from devicectl.simulation.heap import Actor, Heap
from protocols.language.units import Micros


def test_empty_heap_has_nothing_to_come() -> None:
    heap = Heap()
    assert (heap.now, heap.next_time, heap.run_next()) == (0, None, False)


def test_events_run_in_order_of_time_and_then_of_insertion() -> None:
    heap, ran = Heap(), list[tuple[str, int]]()
    for time, name in ((20, "c"), (10, "a"), (20, "d"), (10, "b")):
        heap.at(Micros(time), lambda name=name: ran.append((name, heap.now)))  # type: ignore[misc]
    while heap.run_next():
        pass
    assert ran == [("a", 10), ("b", 10), ("c", 20), ("d", 20)]


def test_event_in_the_past_runs_now_and_time_never_goes_back() -> None:
    heap, ran = Heap(), list[int]()

    def first() -> None:
        heap.at(Micros(3), lambda: ran.append(heap.now))
        assert heap.next_time == 10

    heap.at(Micros(10), first)
    heap.at(Micros(10), lambda: ran.append(-heap.now))
    assert heap.next_time == 10
    while heap.run_next():
        pass
    assert ran == [-10, 10]


def test_time_passes_as_far_as_the_next_event_and_never_back() -> None:
    heap, ran = Heap(), list[int]()
    heap.at(Micros(10), lambda: ran.append(heap.now))
    passed = []
    for time in (4, 3, 30):
        heap.pass_to(Micros(time))
        passed.append(heap.now)
    assert (passed, ran) == ([4, 4, 10], [])
    heap.run_next()
    heap.pass_to(Micros(30))
    assert (heap.now, ran) == (30, [10])


class Clockwork:
    """An actor that wants to be woken every so often, so many times."""

    def __init__(self, heap: Heap, every: int, times: int, ran: list[tuple[int, int]]) -> None:
        self.heap, self.every, self.left, self.ran = heap, every, times, ran
        self.due: Micros | None = Micros(every)

    def deadline(self) -> Micros | None:
        return self.due

    def act(self) -> None:
        self.ran.append((self.heap.now, self.every))
        self.left -= 1
        self.due = Micros(self.heap.now + self.every) if self.left else None


def test_actors_are_woken_at_their_deadlines_the_first_named_first() -> None:
    heap, ran = Heap(), list[tuple[int, int]]()
    clockworks = [Clockwork(heap, 30, 2, ran), Clockwork(heap, 20, 3, ran)]
    heap.actors = tuple(Actor(clockwork.deadline, clockwork.act) for clockwork in clockworks)
    heap.at(Micros(40), lambda: ran.append((heap.now, 0)))
    assert heap.next_time == 20
    while heap.run_next():
        pass
    assert ran == [(20, 20), (30, 30), (40, 0), (40, 20), (60, 30), (60, 20)]
    assert heap.next_time is None


def test_actor_that_is_overdue_is_woken_now() -> None:
    heap, ran = Heap(), list[tuple[int, int]]()
    late = Clockwork(heap, 5, 1, ran)
    heap.at(Micros(10), lambda: setattr(heap, "actors", (Actor(late.deadline, late.act),)))
    heap.run_next()
    assert heap.next_time == 10
    assert heap.run_next() and ran == [(10, 5)]


def test_what_is_due_after_a_time_is_left_and_time_does_not_pass() -> None:
    heap, ran, woken = Heap(), list[int](), list[Micros | None]([Micros(6)])
    heap.at(Micros(5), lambda: ran.append(heap.now))
    heap.at(Micros(8), lambda: ran.append(heap.now))
    heap.actors = (Actor(lambda: woken[0], lambda: woken.__setitem__(0, None)),)
    assert heap.run_next(Micros(5)) and not heap.run_next(Micros(5))
    assert (heap.now, ran, woken) == (5, [5], [6])
    assert heap.run_next(Micros(7)) and not heap.run_next(Micros(7))
    assert (heap.now, ran, woken) == (6, [5], [None])
    assert heap.run_next(Micros(8)) and ran == [5, 8]
