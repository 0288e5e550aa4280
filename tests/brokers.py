"""Mosquitto for the tests: the product's own configurations at a free port of 127.0.0.1, certificates, passwords.

Law: a broker answers when it is given to a test, and is ended by whoever started it; what it said is in `log`.
"""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from firmware_sim.clock import monotonic
from protocols.mqtt.mosquitto import USERS, acl_file, loopback, with_certificates, with_passwords
from protocols.mqtt.topics import DeviceTopics
from tests.patience import deadline, patience

HOST: Final = "127.0.0.1"
ATTEMPTS: Final = 5
TOPICS: Final = DeviceTopics("bench", "sim-7")
PASSWORDS: Final = {user: f"{user}-hunter-2" for user in USERS}
"""User -> password of the broker with passwords."""


class Mosquitto:
    """A broker at `port`, configured by `configure(port)`; not running until it is started."""

    def __init__(self, program: str, folder: Path, configure: Callable[[int], str]) -> None:
        self._program = program
        self._configure = configure
        self._configuration = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def url(self, topics: DeviceTopics = TOPICS, scheme: str = "mqtt", **options: object) -> str:
        """The URL of a device there."""
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return f"{scheme}://{HOST}:{self.port}/{topics.site}/{topics.device}{'?' if query else ''}{query}"

    @property
    def log(self) -> str:
        """What it has said, in every life."""
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    def start(self) -> None:
        """Start it, or start it anew at the same port, and wait until it listens."""
        assert self._process is None, "it runs"
        for _ in range(1 if self.port else ATTEMPTS):
            port = self.port or _free_port()
            if self._listens(port):
                self.port = port
                return
        raise AssertionError(f"the broker did not start:\n{self.log}")

    def stop(self) -> None:
        """Have it take leave of its clients and end."""
        self._end(lambda process: process.terminate())

    def kill(self) -> None:
        """Take its power away."""
        self._end(lambda process: process.kill())

    def pause(self) -> None:
        """Let it neither do anything nor end."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _end(self, how: Callable[["subprocess.Popen[bytes]"], None]) -> None:
        process, self._process = self._process, None
        if process is not None:
            how(process)
            process.wait(patience())

    def _listens(self, port: int) -> bool:
        """Whether it came to listen, which it says itself: an answer alone might be another program's."""
        # Started by root it would give up its rights, and could not read what belongs to root.
        user = "user root\n" if hasattr(os, "geteuid") and os.geteuid() == 0 else ""
        self._configuration.write_text(self._configure(port) + user, encoding="utf-8")
        seen = len(self.log)
        with self._log.open("ab") as log:
            line = [self._program, "-c", str(self._configuration)]
            self._process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = deadline()
        while self._process.poll() is None:
            if " running" in self.log[seen:]:
                return True
            assert monotonic() < end, f"the broker does not say that it runs:\n{self.log}"
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.01)
        self._process = None
        return False


@contextlib.contextmanager
def running(program: str, folder: Path, configure: Callable[[int], str] = loopback) -> Iterator[Mosquitto]:
    """A broker while the context lasts; by default without TLS, for anybody."""
    broker = Mosquitto(program, folder, configure)
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


def _free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind((HOST, 0))
        port: int = chosen.getsockname()[1]
        return port


# --- with TLS ----------------------------------------------------------------------------------------------------


def make_certificates(folder: Path) -> None:
    """In `folder`: `ca.pem`, the broker's pair, one for each user, `elsewhere`'s, which is of another host, and
    `stranger`'s, which another authority issued.
    """
    import trustme

    authority, other = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    other.cert_pem.write_to_path(str(folder / "other-ca.pem"))
    issued = {
        "broker": authority.issue_cert(HOST, "localhost"),
        "elsewhere": authority.issue_cert("elsewhere.example"),
        "stranger": other.issue_cert("stranger", common_name="controller"),
        **{user: authority.issue_cert(user, common_name=user) for user in USERS},
    }
    for name, certificate in issued.items():
        certificate.private_key_pem.write_to_path(str(folder / f"{name}.key"))
        certificate.cert_chain_pems[0].write_to_path(str(folder / f"{name}.pem"))


def write_passwords(program: str, folder: Path, passwords: Mapping[str, str] = PASSWORDS) -> None:
    """`passwords` in `folder`, hashed by `program`, and what each user gives as its `credentials=FILE`."""
    path = folder / "passwords"
    path.write_text("".join(f"{user}:{password}\n" for user, password in passwords.items()), encoding="utf-8")
    path.chmod(0o600)
    subprocess.run([program, "-U", str(path)], check=True, timeout=patience(), stdin=subprocess.DEVNULL)
    for user, password in passwords.items():
        (folder / f"{user}.txt").write_text(f"{user}\n{password}\n", encoding="utf-8")


def write_acl(folder: Path, topics: DeviceTopics = TOPICS, without: str = "") -> None:
    """The access list in `folder`; the lines that have `without` in them are left out."""
    lines = acl_file(topics).splitlines(keepends=True)
    (folder / "acl").write_text("".join(line for line in lines if not without or without not in line), encoding="utf-8")


def by_password(folder: Path) -> Callable[[int], str]:
    """The configuration with passwords, on this machine alone."""
    return lambda port: with_passwords(str(folder), port, HOST)


def by_certificate(folder: Path) -> Callable[[int], str]:
    """The configuration with certificates, on this machine alone."""
    return lambda port: with_certificates(str(folder), port, HOST)
