"""The page of Mosquitto's configurations: the very texts that the tests start it with."""

from typing import Final

from protocols.mqtt.mosquitto import RIGHTS, Access, acl_file, loopback, with_certificates, with_passwords
from protocols.mqtt.topics import DeviceTopics

FOLDER: Final = "/etc/mosquitto/handpiece"
TOPICS: Final = DeviceTopics("bench", "sim-7")

_WHO: Final = {
    Access.DEVICE: "a handpiece",
    Access.CONTROLLER: "a host that carries out sessions",
    Access.VIEWER: "a host that looks, asks and may STOP",
    Access.OBSERVER: "a dashboard; it commands nothing",
}


def page() -> str:
    """Rights by user, then each file."""
    rows = [
        f"| `{access.value}` | {_WHO[access]} | {_names(rights.reads)} | {_names(rights.writes)} |"
        for access, rights in RIGHTS.items()
    ]
    return "\n".join(
        [
            "# Configurations of Mosquitto",
            "",
            f"Generated from `protocols/mqtt/mosquitto.py`, for the device {TOPICS.device} at site {TOPICS.site} and "
            f"files below `{FOLDER}`; how to make them for your own is in [MQTT](../mqtt.md#mosquitto).",
            "",
            "## Who may do what",
            "",
            f"Topics below `{TOPICS.base}`; `%c` is the client's own identifier.",
            "",
            "| user | who | reads | writes |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
            *_file("On one machine, without passwords and encryption", loopback()),
            *_file("On a network, with passwords", with_passwords(FOLDER)),
            *_file("On a network, with clients' certificates", with_certificates(FOLDER)),
            *_file("The access list", acl_file(TOPICS)),
        ]
    )


def _names(names: tuple[str, ...]) -> str:
    return " ".join(f"`{name}`" for name in names)


def _file(title: str, text: str) -> list[str]:
    return [f"## {title}", "", "```text", text.rstrip("\n"), "```", ""]
