"""Mosquitto's access lists, read here as its manual says they are; tests/e2e has the program itself read them."""

import re

import pytest

from protocols.language.version import MAJOR
from protocols.mqtt.mosquitto import Access, acl_file, loopback, with_certificates, with_passwords
from protocols.mqtt.topics import DeviceTopics
from protocols.mqtt.wire import COMMANDS
from protocols.text.notice import NOTICE

TOPICS = DeviceTopics("bench", "sim-7")
CLIENT = "host-0badcafe"
MOVES = {name for name, model in COMMANDS.items() if model.LANE == "motion"}
READ_BY_ALL = ("status", "info", "state", "alarms", "params", "event", "heartbeat", "telemetry/state")


def allowed(text: str, user: str, kind: str, topic: str, client: str = CLIENT) -> bool:
    """Whether `user`, as `client`, may `kind` ("read" or "write") `topic`. A denial comes before what is given."""
    section, given, denied = "", False, False
    for line in text.splitlines():
        first, _, rest = line.partition(" ")
        if first == "user":
            section = rest
        elif first in ("pattern", "topic"):
            right, _, pattern = rest.partition(" ")
            assert right in ("read", "write", "deny") and pattern.startswith(f"handpiece/v{MAJOR}/"), line
            regex = re.escape(pattern).replace(r"\+", "[^/]+").replace("%c", re.escape(client))
            if (first == "pattern" or section == user) and re.fullmatch(regex, topic):
                denied |= right == "deny"
                given |= right == kind
        else:
            assert not line or line.startswith("#"), line
    return given and not denied


def of(name: str, topics: DeviceTopics = TOPICS) -> str:
    return topics.of(*name.split("/"))


@pytest.mark.parametrize("name", READ_BY_ALL)
def test_what_is_public_is_read_by_every_host_and_written_by_the_device_alone(name: str) -> None:
    text = acl_file(TOPICS)
    for user in Access:
        assert allowed(text, user, "read", of(name)) is (user is not Access.DEVICE)
        assert allowed(text, user, "write", of(name)) is (user is Access.DEVICE)


@pytest.mark.parametrize("name", COMMANDS)
def test_commands(name: str) -> None:
    text, topic = acl_file(TOPICS), of(f"command/{name}")
    assert allowed(text, "controller", "write", topic)
    assert allowed(text, "viewer", "write", topic) is (name not in MOVES and name != "journal_ack")
    assert not allowed(text, "observer", "write", topic)
    assert not allowed(text, "device", "write", topic)
    assert [user for user in Access if allowed(text, user, "read", topic)] == ["device"]


def test_a_viewer_may_stop_and_can_move_nothing() -> None:
    assert allowed(acl_file(TOPICS), "viewer", "write", of("command/stop"))
    assert {"punch", "arm", "session_open", "session_close", "fault_reset", "param_set", "alarm_ack"} <= MOVES


@pytest.mark.parametrize("user", ["controller", "viewer"])
def test_a_host_has_its_own_heartbeat_and_replies_alone(user: str) -> None:
    text = acl_file(TOPICS)
    assert allowed(text, user, "write", of(f"heartbeat/{CLIENT}"))
    assert allowed(text, user, "read", of(f"reply/{CLIENT}"))
    for name in ("heartbeat/host-1", "reply/host-1"):
        assert not allowed(text, user, "write", of(name)) and not allowed(text, user, "read", of(name))
    assert not allowed(text, user, "write", of(f"reply/{CLIENT}"))


def test_an_observer_has_no_heartbeat_and_no_replies() -> None:
    text = acl_file(TOPICS)
    for kind in ("read", "write"):
        for name in (f"heartbeat/{CLIENT}", f"reply/{CLIENT}"):
            assert not allowed(text, "observer", kind, of(name))


def test_the_device_hears_and_answers_every_client() -> None:
    text = acl_file(TOPICS)
    assert allowed(text, "device", "read", of("heartbeat/host-1")) and allowed(text, "device", "write", of("reply/x"))


def test_the_rights_are_of_one_device() -> None:
    text = acl_file(TOPICS)
    others = (DeviceTopics("bench", "sim-8"), DeviceTopics("ward", "sim-7"), DeviceTopics("bench", "sim-7", "other"))
    for topics in others:
        for user in Access:
            for name in ("status", "command/stop", f"heartbeat/{CLIENT}", f"reply/{CLIENT}"):
                for kind in ("read", "write"):
                    assert not allowed(text, user, kind, of(name, topics))


def test_users_of_ones_own() -> None:
    text = acl_file(TOPICS, {"ward 3": Access.CONTROLLER, "wall": Access.OBSERVER})
    assert allowed(text, "ward 3", "write", of("command/punch")) and allowed(text, "wall", "read", of("state"))
    assert not allowed(text, "controller", "write", of("command/punch"))


@pytest.mark.parametrize("name", ["", " a", "a\ntopic readwrite #", "a\0"])
def test_a_user_cannot_write_a_line_of_the_list(name: str) -> None:
    with pytest.raises(ValueError, match="is no user name"):
        acl_file(TOPICS, {name: Access.VIEWER})


def test_configurations() -> None:
    plain, passwords, certificates = loopback(1884), with_passwords("/etc/m"), with_certificates("/etc/m", 8884, "::1")
    assert "listener 1884 127.0.0.1\nallow_anonymous true\n" in plain and "acl_file" not in plain
    assert "listener 8883\n" in passwords and "listener 8884 ::1\n" in certificates
    for text in (passwords, certificates):
        assert "allow_anonymous false\nacl_file /etc/m/acl\n" in text and "cafile /etc/m/ca.pem\n" in text
    assert "password_file /etc/m/passwords\n" in passwords and "require_certificate" not in passwords
    assert "require_certificate true\nuse_identity_as_username true\n" in certificates
    for text in (plain, passwords, certificates, acl_file(TOPICS)):
        assert text.startswith(f"# {NOTICE}\n") and text.endswith("\n")
