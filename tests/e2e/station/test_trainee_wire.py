"""The trainee's socket in every ready lesson, as it is sent: no field and no word of truth, script or fault."""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from devicectl.station.lesson import Lesson
from devicectl.station.ready import READY, find_lesson
from firmware_sim.faults.catalogue import CATALOGUE
from tests.e2e.station.pages import View
from tests.e2e.station.served import Served, served

FASTEST: Final = 60
SECRET: Final = "SECRET of the instructor"
PATHS: Final = frozenset(
    path
    for line in """
    type no view patch id ok words
    .role .notice .title .prebrief .minutes .temperature_c
    .clock .clock.t_ms .clock.speed .clock.running .clock.ended
    .state .state.name .state.words
    .link .link.up .link.words
    .counts .counts.cores .counts.target .counts.cycles .counts.coverage_percent
    .vacuum .vacuum.kpa .vacuum.low_kpa .vacuum.stop_kpa .vacuum.set_kpa
    .cartridge .cartridge.cycles .cartridge.warn .cartridge.life
    .canister .canister.percent .canister.warn_percent .canister.full_percent
    .zones .zones.zone .zones.name .zones.area_cm2 .zones.cells_done .zones.confirmed .zones.numbed_ms
    .zones.wait_until_ms
    .place .place.zone .place.cell .place.cycles_left .cells .cells.*
    .alarms .alarms.code .alarms.label .alarms.priority .alarms.state .alarms.words .alarms.since_ms .alarms.sounds
    .sound .sound.paused_until_ms
    .next .next.words .next.control .next.zone
    .messages .messages.no .messages.at_ms .messages.kind .messages.words
    .controls .controls.* .controls.*.enabled .controls.*.why .trigger .trigger.held .trigger.missed .trigger.why
    .cycle .cycle.cycle_no .cycle.phase .cycle.began_ms .cycle.takes_ms
    .end .end.state .end.reconciled .end.cores .end.words
    """.splitlines()
    for path in line.split()
)
"""All that a trainee may be sent, by name: what an operator of a controller sees, and the clock of the lesson."""
OPEN: Final = (".cells", ".controls")
"""Fields whose keys are cells or acts."""


WORK: Final[tuple[tuple[int, str, dict[str, int]], ...]] = (
    (500, "trigger_press", {}),
    (15_000, "trigger_release", {}),
    *((16_000, "anesthesia_confirm", {"zone": zone}) for zone in (0, 1)),
    (17_000, "arm", {}),
    (25_000, "reposition", {}),
    (35_000, "trigger_press", {}),
    (50_000, "trigger_release", {}),
    (51_000, "reposition", {}),
    (60_000, "trigger_press", {}),
    (75_000, "acknowledge", {"code": 0}),
    (76_000, "stop", {}),
    (85_000, "reset", {}),
    (95_000, "close", {}),
)
"""What the trainee does in each lesson, right or wrong: time of the lesson, act, arguments."""


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A class of one, for one lesson after another."""
    with served(tmp_path_factory.mktemp("wire") / "log.sqlite", "--seed", "7") as running:
        yield running


class Wire:
    """A lesson in which the script fires and a trainee works: what he and the instructor were sent all along."""

    def __init__(self, name: str, trainee: View, instructor: View) -> None:
        self.name = name
        self.lesson = find_lesson(name)
        self.trainee = trainee
        self.instructor = instructor
        self.strayed: set[float] = set()
        self.shown_meanwhile: set[float] = set()

    def until(self, t_ms: int) -> None:
        """Read on until that time of the lesson."""
        while not self.ended and self.trainee.document.get("clock", {}).get("t_ms", 0) < t_ms:
            self.trainee.read()
            self.trainee.send(type="hold")
            self.instructor.read_what_came()
            self._look_at_the_vacuum()

    @property
    def ended(self) -> bool:
        """True once the session is closed."""
        return bool(self.trainee.document.get("end"))

    def _look_at_the_vacuum(self) -> None:
        """Keep the true pressure while it is another than the one shown, and the numbers that were sent meanwhile."""
        truth = self.instructor.document.get("truth", {}).get("pressure_kpa")
        shown = self.trainee.document.get("vacuum", {}).get("kpa")
        if truth is not None and shown is not None and abs(truth - shown) > 5:
            if not float(truth).is_integer():  # 0.0 may be anything: it gives no pressure away
                self.strayed.add(truth)
            self.shown_meanwhile |= set(_floats(json.loads(self.trainee.texts[-1])))


@pytest.fixture(params=READY, scope="module")
def wire(station: Served, request: pytest.FixtureRequest) -> Wire:
    """A lesson at 60 times its speed, from its beginning to the closed session."""
    start = {"scenario": request.param, "station": 1, "seed": find_lesson(request.param).scenario.seed}
    station.done("POST", "/api/stations", start)
    with station.socket("trainee", who="trainee-1") as hand, station.socket("instructor") as desk:
        wire = Wire(request.param, View(hand), View(desk))
        _lead(wire)
        for t_ms, name, arguments in WORK:
            _run(station, wire, t_ms)
            wire.trainee.act(name, **arguments)
        _run(station, wire, 120_000)
        wire.instructor.read_what_came()  # a client with many messages unread does not see that its socket is closed
    return wire


def _run(station: Served, wire: Wire, t_ms: int) -> None:
    """Run the lesson to a time, and hold it there: what is done then does not depend on how fast this machine is."""
    station.done("POST", "/api/stations/1/pace", {"running": True, "speed": FASTEST})
    wire.until(t_ms)
    station.done("POST", "/api/stations/1/pace", {"running": False})


def _lead(wire: Wire) -> None:
    """Fire the script, bring in a fault, and write down what no trainee may read."""
    instructor = wire.instructor
    instructor.until(lambda: instructor.document != {}, "the view")
    for one in instructor.document["rail"]:
        if "fault" in one:  # the others end faults
            instructor.act("fire", item=one["item"])
    instructor.act("inject", fault={"fault": "temperature_noise"})
    instructor.act("note", text=SECRET)
    instructor.act("bookmark", text=SECRET)
    for check in wire.lesson.checks:
        assert instructor.act("override", check=check.check, passed=True, reason=SECRET)["ok"]


def test_every_field_is_one_that_an_operator_sees(wire: Wire) -> None:
    sent = {path for text in wire.trainee.texts for path in _paths(json.loads(text))}
    assert sent <= PATHS
    assert {".counts.cores", ".messages.words", ".end.words", "ok"} <= sent, "it was a whole lesson"


def test_no_word_of_script_checks_or_faults_is_in_it(wire: Wire) -> None:
    said = "\n".join(json.dumps(json.loads(text), ensure_ascii=False) for text in wire.trainee.texts)
    assert [secret for secret in _secrets(wire.lesson) if secret in said] == []


def test_a_true_pressure_that_is_not_the_one_shown_is_in_no_field(wire: Wire) -> None:
    assert wire.strayed & wire.shown_meanwhile == set()
    assert wire.strayed or wire.name != "frozen-sensor"


def _secrets(lesson: Lesson) -> set[str]:
    """Texts of the lesson and of the catalogue that would give something away."""
    named = [kind for kind in CATALOGUE if "_" in kind]  # `leak` and `clog` are also words of the device's alarms
    script = [text for item in lesson.script for text in (f'"{item.item}"', item.words)]
    checks = [text for check in lesson.checks for text in (f'"{check.check}"', check.words)]
    told = {SECRET, *named, *script, *checks, *lesson.objectives, *lesson.questions, lesson.guide, lesson.title}
    return told - {""}


def _paths(message: dict[str, Any]) -> Iterator[str]:
    """Paths of all fields of a message; those of a list are those of its items."""
    for key, value in message.items():
        yield key
        if key in ("view", "patch"):
            yield from _below(value, "")


def _below(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for inner in value:
            yield from _below(inner, path)
    elif isinstance(value, dict):
        for key, inner in value.items():
            name = f"{path}.*" if path in OPEN else f"{path}.{key}"
            yield name
            yield from _below(inner, name)


def _floats(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _floats(inner)
