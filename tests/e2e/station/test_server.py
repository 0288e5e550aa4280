import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devicectl.station.possible import OF_THE_PERSON
from firmware_sim.faults.catalogue import CATALOGUE
from tests.e2e.station.pages import View
from tests.e2e.station.served import Served, served

LESSON = "suction-leak"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("class") / "log.sqlite", "--lesson", LESSON) as server:
        yield server


@pytest.fixture
def station(server: Served) -> Served:
    """A class of one that nobody has worked in: the stations of the test before are gone."""
    for row in server.done("GET", "/api/stations")["stations"]:
        server.done("DELETE", f"/api/stations/{row['station']}")
    row = server.done("POST", "/api/stations", {"scenario": LESSON, "seed": 7})
    assert row["station"] == 1
    links = server.done("GET", "/api/stations/1")["links"]  # those of the station before have ended with it
    server.tokens |= {f"{view}-1": link["url"].rpartition("/")[2] for view, link in links.items()}
    return server


def run(station: Served, **pace: object) -> Any:
    return station.done("POST", "/api/stations/1/pace", {"running": True, **pace})


def has_null(data: object) -> bool:
    if isinstance(data, dict):
        return any(map(has_null, data.values()))
    return data is None or (isinstance(data, list) and any(map(has_null, data)))


# --- views -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["trainee", "presenter", "instructor"])
def test_view_is_sent_whole_and_then_by_numbered_differences(station: Served, view: str) -> None:
    with station.socket(view) as first, station.socket(view) as second:
        page = View(first)
        page.until(lambda: page.document != {}, "the view")
        assert page.document["role"] == view and not page.document["clock"]["running"]
        run(station, speed=20)
        page.until(lambda: page.document["clock"]["t_ms"] > 3_000, "three seconds")
        station.done("POST", "/api/stations/1/pace", {"running": False})
        page.until(lambda: not page.document["clock"]["running"], "the hold")
        other = View(second)
        other.until(lambda: other.document != {}, "the view")
    assert page.kinds[0] == "snapshot" and set(page.kinds[1:]) == {"patch"}
    assert other.document == page.document and other.last == page.last
    assert not has_null(page.document)


def test_running_view_is_sent_ten_times_a_second(station: Served) -> None:
    with station.socket("trainee") as socket:
        page = View(socket)
        page.until(lambda: page.document != {}, "the view")
        run(station)
        page.until(lambda: page.document["clock"]["t_ms"] >= 2_000, "two seconds")
    assert page.kinds.count("patch") >= 20


def test_page_that_comes_back_is_sent_what_it_lacks(station: Served) -> None:
    with station.socket("trainee") as socket:
        page = View(socket)
        page.until(lambda: page.document != {}, "the view")
    run(station)
    with station.socket("trainee") as socket:
        again = View(socket, page.last, page.document)
        again.until(lambda: again.document["clock"]["running"], "the news")
    assert "snapshot" not in again.kinds


# --- the trigger -------------------------------------------------------------------------------------------------


def acts(station: Served) -> list[str]:
    """Return what the instructor's timeline says that was done."""
    with station.socket("instructor") as socket:
        page = View(socket)
        page.until(lambda: page.document != {}, "the view")
    return [entry["words"] for entry in page.document["timeline"] if entry["lane"] == "act"]


def test_trigger_moves_the_needles_at_once_and_until_it_is_let_go(station: Served) -> None:
    run(station)
    with station.socket("trainee") as hand, station.socket("presenter") as screen:
        trainee, presenter = View(hand), View(screen)
        presenter.until(lambda: presenter.document != {}, "the view")
        before = presenter.document["phases"][-1]
        assert trainee.act("trigger_press")["ok"]
        presenter.until(lambda: presenter.document["phases"][-1] != before, "a phase")
        assert presenter.document["phases"][-1]["phase"] == "punch"
        assert trainee.act("trigger_release")["ok"]
        trainee.until(lambda: not trainee.document["trigger"]["held"], "the release")


def test_held_trigger_is_renewed_by_its_page(station: Served) -> None:
    run(station)
    with station.socket("trainee") as hand:
        trainee = View(hand)
        trainee.act("trigger_press")
        began = trainee.document["clock"]["t_ms"]
        while trainee.document["clock"]["t_ms"] < began + 2_500:
            trainee.send(type="hold")
            trainee.read()
        assert trainee.document["trigger"]["held"]


def test_trigger_that_is_not_renewed_is_released_by_the_server(station: Served) -> None:
    run(station)
    with station.socket("trainee") as hand:
        trainee = View(hand)
        trainee.act("trigger_press")
        trainee.until(lambda: trainee.document["trigger"]["held"], "the press")
        began = trainee.document["clock"]["t_ms"]
        trainee.until(lambda: not trainee.document["trigger"]["held"], "the release")
        assert trainee.document["clock"]["t_ms"] >= began + 900


def test_socket_that_closes_lets_the_trigger_go(station: Served) -> None:
    run(station)
    with station.socket("trainee") as watched:
        page = View(watched)
        with station.socket("trainee") as hand:
            View(hand).act("trigger_press")
            page.until(lambda: page.document.get("trigger", {}).get("held", False), "the press")
            began = page.document["clock"]["t_ms"]
        page.until(lambda: not page.document["trigger"]["held"], "the release")
        assert page.document["clock"]["t_ms"] < began + 900, "it was the lease"


# --- the clock ---------------------------------------------------------------------------------------------------


def test_prepared_stop_holds_the_lesson(station: Served) -> None:
    station.done("POST", "/api/stations/1/pace", {"stops": ["first_punch"]})
    run(station)
    with station.socket("trainee") as hand, station.socket("presenter") as screen:
        presenter = View(screen)
        View(hand).act("trigger_press")
        presenter.until(lambda: any(stop["done"] for stop in presenter.document.get("stops", [])), "the stop")
    assert not presenter.document["clock"]["running"]
    last = presenter.document["phases"][-1]
    assert last["phase"] == "punch" and presenter.document["clock"]["t_ms"] <= last["began_ms"] + 5


def test_step_runs_to_the_next_phase(station: Served) -> None:
    with station.socket("trainee") as hand, station.socket("presenter") as screen:
        presenter = View(screen)
        presenter.until(lambda: presenter.document != {}, "the view")
        View(hand).act("trigger_press")
        presenter.until(lambda: presenter.document["phases"][-1]["phase"] == "punch", "the first phase")
        seen = []
        for _ in range(3):
            station.done("POST", "/api/stations/1/pace", {"step": "phase"})
            presenter.until(lambda: presenter.document["clock"]["running"], "it runs")
            presenter.until(lambda: not presenter.document["clock"]["running"], "it holds")
            seen.append(presenter.document["phases"][-1]["phase"])
    assert seen == ["suction", "advance", "count"]


def test_nothing_passes_while_held(station: Served) -> None:
    before = station.done("GET", "/api/stations")
    assert station.done("GET", "/api/stations") == before


# --- attempts ----------------------------------------------------------------------------------------------------


def test_going_back_is_another_attempt_held_at_that_time(station: Served) -> None:
    run(station, speed=10)
    with station.socket("instructor") as socket:
        page = View(socket)
        page.until(lambda: page.document.get("clock", {}).get("t_ms", 0) > 5_000, "five seconds")
        page.act("note", text="seen")
        first = page.document["lesson"]
        row = station.done("POST", "/api/stations/1/rewind", {"to_ms": 1_000})
        page.until(lambda: page.document["lesson"] != first, "the other attempt")
    assert row["clock"] == {"t_ms": 1_000, "speed": 10.0, "running": False, "ended": False}
    assert page.document["notes"] == [] and "snapshot" not in page.kinds[1:]


def test_a_time_that_was_not_reached_is_refused(station: Served) -> None:
    reply = station.ask("POST", "/api/stations/1/rewind", {"to_ms": 60_000})
    assert reply.status == 422 and reply.body["words"].startswith("to_ms:")


def test_moment_is_a_lesson_that_begins_there(station: Served) -> None:
    run(station, speed=10)
    with station.socket("trainee") as socket:
        page = View(socket)
        page.until(lambda: page.document.get("clock", {}).get("t_ms", 0) > 3_000, "three seconds")
        page.act("stop")
    text = station.done("GET", "/api/stations/1/moment").decode()
    row = station.done("POST", "/api/stations", {"text": text, "trainee": "Ann <b>"})
    assert row["station"] == 2 and row["trainee"] == "Ann <b>" and row["clock"]["t_ms"] == 0
    with station.socket("trainee", 2) as socket:
        page = View(socket)
        page.until(lambda: page.document != {}, "the view")
    assert page.document["state"] != {}


def test_killed_server_loses_no_act(tmp_path: Path) -> None:
    log = tmp_path / "log.sqlite"
    with served(log, "--lesson", LESSON, "--seed", "7") as station:
        run(station, speed=10)
        with station.socket("instructor") as socket:
            page = View(socket)
            page.until(lambda: page.document.get("clock", {}).get("t_ms", 0) > 3_000, "three seconds")
            assert page.act("note", text="before the end")["ok"]
            at_ms = page.document["notes"][0]["at_ms"]
        station.process.kill()
        station.process.wait()
    with served(log, "--lesson", LESSON, "--seed", "8") as station:
        assert "not finished: lesson 1" in station.said
        (left,) = station.done("GET", "/api/stations")["unfinished"]
        row = station.done("POST", "/api/stations", {"resume": left["lesson"]})
        assert row["clock"]["t_ms"] == at_ms and row["lesson"] == 1
        with station.socket("instructor", row["station"]) as socket:
            page = View(socket)
            page.until(lambda: page.document != {}, "the view")
            assert [note["words"] for note in page.document["notes"]] == ["before the end"]
            page.act("note", text="and after it")
        assert station.done("GET", "/api/stations")["unfinished"] == []


def test_lesson_that_nobody_continues_is_discarded(tmp_path: Path) -> None:
    log = tmp_path / "log.sqlite"
    with served(log, "--lesson", LESSON):
        pass
    with served(log, "--lesson", LESSON) as station:
        station.done("POST", "/api/stations", {"discard": 1})
        assert station.done("GET", "/api/stations")["unfinished"] == []


def test_closed_session_is_in_the_log(station: Served) -> None:
    with station.socket("trainee") as socket:
        page = View(socket)
        run(station, speed=60)
        page.act("close")
        page.until(lambda: page.document["clock"]["ended"], "the end")
        answer = page.act("stop")
        assert not answer["ok"] and "ended" in answer["words"]
    row = station.done("GET", "/api/stations")["stations"][0]
    assert row["ended"] and not row["clock"]["running"] and "trouble" not in row


def test_debrief_is_shown_to_the_instructor_alone(station: Served) -> None:
    with station.socket("trainee") as socket:
        View(socket).act("stop")
    (row,) = station.done("GET", "/api/stations")["stations"]
    page = station.ask("GET", f"/debrief/{row['lesson']}")
    assert page.status == 200 and b"Suction leak" in page.body
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert page.body == station.done("GET", "/api/stations/1/report")
    assert station.ask("GET", f"/debrief/{row['lesson']}", who="trainee-1").status == 401
    assert station.ask("GET", "/debrief/999").status == 404


# --- the class ---------------------------------------------------------------------------------------------------


def test_class_takes_eight_stations(station: Served) -> None:
    for number in range(2, 9):
        assert station.done("POST", "/api/stations", {"scenario": LESSON})["station"] == number
    assert station.ask("POST", "/api/stations", {"scenario": LESSON}).status == 422
    station.done("DELETE", "/api/stations/3")
    assert station.done("POST", "/api/stations", {"scenario": LESSON})["station"] == 3


def test_trainee_may_begin_in_practice_alone(station: Served, tmp_path: Path) -> None:
    assert station.ask("POST", "/api/stations/1/pace", {"running": True}, who="trainee-1").status == 403
    with served(tmp_path / "other.sqlite", "--practice", "--lesson", LESSON) as practice:
        assert practice.ask("POST", "/api/stations/1/pace", {"running": False}, who="trainee-1").status == 403
        # An outcome alone: a row of the roster has the lesson's title, which may tell what is going to fail.
        said = practice.done("POST", "/api/stations/1/pace", {"running": True}, who="trainee-1")
        assert said == {"ok": True, "words": ""}
        with practice.socket("trainee", who="trainee-1") as socket:
            page = View(socket)
            page.until(lambda: page.document.get("clock", {}).get("running", False), "it runs")
        assert practice.ask("POST", "/api/stations/1/pace", {"running": True}, who="trainee-1").status == 403


def test_roster_shows_who_did_what_last(station: Served) -> None:
    with station.socket("trainee") as socket:
        assert View(socket).act("stop")["ok"]
        row = station.done("GET", "/api/stations")["stations"][0]
    assert row["last_act"]["words"].startswith("stop") and row["connected"]["trainee"] == 1


def test_page_of_each_view_is_served_to_who_has_its_link(station: Served) -> None:
    for who, path in (("instructor", "/"), ("trainee-1", "/trainee/1"), ("presenter-1", "/presenter/1")):
        entered = station.ask("GET", f"/enter/{station.tokens[who]}", who="")
        assert (entered.status, entered.headers["Location"]) == (303, path)
        page = station.ask("GET", path, who="", Cookie=entered.headers["Set-Cookie"].partition(";")[0])
        assert page.status == 200 and b"<!doctype html>" in page.body.lower()
        assert station.ask("GET", path, who="").status == 401


def test_no_link_is_told_to_the_log(station: Served) -> None:
    run(station)
    station.done("GET", "/api/stations/1")
    kept = b"".join(path.read_bytes() for path in station.log.parent.iterdir())
    assert not [token for token in station.tokens.values() if token.encode() in kept]


def test_a_lesson_whose_fault_the_person_does_is_refused_with_its_place(station: Served) -> None:
    answer = station.ask("POST", "/api/stations", {"text": "faults:\n- {fault: paused}\n"})
    assert answer.status == 422
    said = "the scenario: line 2, column 11: faults[0].fault = 'paused': is what the person"
    assert answer.body["words"].startswith(said)


def test_catalogue_has_all_that_can_be_done(station: Served) -> None:
    catalogue = station.done("GET", "/api/catalogue")
    assert [fault["fault"] for fault in catalogue["faults"]] == [
        name for name in CATALOGUE if name not in OF_THE_PERSON
    ]
    assert len(catalogue["acts"]) > 20
    assert json.dumps(catalogue).count('"leak"') == 1
