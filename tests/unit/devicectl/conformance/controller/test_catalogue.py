"""The cases for a controller fit the rules: each MUST of a host has one, or a reason why it has none."""

from fnmatch import fnmatchcase

from devicectl.conformance.case import check_catalogue
from devicectl.conformance.controller.cases import adversity, brokers
from devicectl.conformance.controller.cases.declare import scene_of
from devicectl.conformance.controller.catalogue import BEHIND_A_BROKER, CONTROLLER_CASES, UNSHOWN, lacking
from devicectl.conformance.controller.publications import item_of
from devicectl.conformance.rules import RULES, Duty, Level
from firmware_sim.faults.scenario import read_start
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import DeviceWire, Publication
from tests.unit.devicectl.conformance.controller.talk import a_welcome


def test_cases_and_rules_fit() -> None:
    check_catalogue(CONTROLLER_CASES, Duty.HOST, {name: rule for name, rule in RULES.items() if name not in UNSHOWN})


def test_what_is_not_shown_is_a_must_of_a_host_without_a_case() -> None:
    shown = {rule for case in CONTROLLER_CASES for rule in case.rules}
    assert not shown & set(UNSHOWN)
    assert all(RULES[name].level is Level.MUST and RULES[name].duty.is_of(Duty.HOST) for name in UNSHOWN)


def test_there_are_sixty_cases_and_thirty_scenes_of_adversity() -> None:
    assert len(CONTROLLER_CASES) >= 60
    assert len({scene_of(case).name for case in adversity.CASES}) >= 30


def test_scenes_of_one_name_are_one_scene() -> None:
    by_name = {scene_of(case).name: scene_of(case) for case in CONTROLLER_CASES}
    assert all(scene_of(case) is by_name[scene_of(case).name] for case in CONTROLLER_CASES)


def test_every_scene_is_one_that_a_served_device_can_have() -> None:
    for case in CONTROLLER_CASES:
        start = read_start(scene_of(case).scenario(7))
        assert len(start.faults) == len(scene_of(case).faults), case.id


def test_what_a_broker_cannot_show_has_a_reason_and_names_cases_that_there_are() -> None:
    behind = lacking("mqtt", CONTROLLER_CASES)
    assert all(any(fnmatchcase(case.id, name) for case in CONTROLLER_CASES) for name in BEHIND_A_BROKER)
    assert behind["odd.crc"] == "a broker has no bytes to spoil"
    assert not {"plain.session", "wrong.unknown", "mqtt.properties", "hard.reboot"} & set(behind)


def test_what_is_about_a_broker_is_skipped_on_a_wire_of_bytes() -> None:
    on_bytes = lacking("tcp", CONTROLLER_CASES)
    assert set(on_bytes) == {case.id for case in brokers.CASES}
    assert set(on_bytes.values()) == {"needs a broker: --mqtt"}


def test_each_edit_changes_what_its_scene_is_about_and_nothing_else() -> None:
    welcome = DeviceWire(DeviceTopics("bench", "sim-7"), "host-1").encode(a_welcome(), 3, 5, 1, 0)
    status = Publication("handpiece/v1/bench/sim-7/status", b'{"online":true,"reason":"","birth_no":4}')
    assert brokers.NO_BIRTH.edit("status", status) is None
    assert brokers.NO_BIRTH.edit("reply", welcome) == welcome == brokers.OFFLINE.edit("reply", welcome)
    offline = brokers.OFFLINE.edit("status", status)
    assert offline is not None and b'"online": false' in offline.body and b'"birth_no": 4' in offline.body
    for scene in (brokers.FURTHER, brokers.MISSING, brokers.WHOLE):
        changed = scene.edit("reply", welcome)
        assert changed is not None and changed.body != welcome.body, scene.name
        assert item_of(changed).message == a_welcome(), scene.name
        assert scene.edit("status", status) == status
    missing = brokers.MISSING.edit("reply", welcome)
    assert missing is not None and item_of(missing).header == item_of(welcome).header._replace(seq=0)  # type: ignore[union-attr]
