"""A broker with TLS, users and an access list: sessions through it, and each way to be kept out, told as what it is.

That this takes less than five seconds is held here for what an access list forbids, and by tests/architecture over the
constants that it is made of.
"""

import asyncio
import contextlib
import json
import re
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiomqtt
import pytest

import devicectl
from devicectl.errors import LinkError
from devicectl.log.store import SessionLog
from devicectl.session.procedures import Procedure
from firmware_sim.device import Device
from firmware_sim.serve.errors import NoPlaceError
from firmware_sim.serve.real_time import RealTimeDevice
from firmware_sim.serve.transports.mqtt import join
from handpiece_shell.broker_calls import Calls
from protocols.language.enums import Role
from protocols.language.message import Message
from protocols.language.messages import Stop, StopDone
from protocols.mqtt.broker import DeniedError
from protocols.mqtt.broker_url import PASSWORD_VARIABLE, USERNAME_VARIABLE, parse_broker_url
from protocols.mqtt.mosquitto import PUBLIC, Access, acl_file
from protocols.mqtt.wire import COMMANDS, Publication
from tests.brokers import (
    PASSWORDS,
    TOPICS,
    Mosquitto,
    by_certificate,
    by_password,
    make_certificates,
    running,
    write_acl,
    write_passwords,
)
from tests.e2e.processes import DEVICECTL, started, wait_until
from tests.e2e.processes import devicectl as run_devicectl
from tests.e2e.sessions import PARAMETERS, assert_exact, whole_session
from tests.patience import patience
from tests.programs import FIRMWARE_SIM, environment, firmware_sim, serve
from tests.unit.protocols.mqtt.test_mosquitto import allowed


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    return folder


@pytest.fixture
def folder(certificates: Path, tmp_path: Path, program: Callable[[str], str]) -> Path:
    """All that a broker needs, but for what a test changes."""
    for file in certificates.iterdir():
        (tmp_path / file.name).symlink_to(file)
    write_acl(tmp_path)
    write_passwords(program("mosquitto_passwd"), tmp_path)
    return tmp_path


@pytest.fixture
def passwords(folder: Path, program: Callable[[str], str]) -> Iterator[Mosquitto]:
    with running(program("mosquitto"), folder, by_password(folder)) as broker:
        yield broker


@pytest.fixture
def required(folder: Path, program: Callable[[str], str]) -> Iterator[Mosquitto]:
    """A broker that asks for certificates."""
    with running(program("mosquitto"), folder, by_certificate(folder)) as broker:
        yield broker


def with_password(broker: Mosquitto, folder: Path, user: str, ca: str = "ca.pem") -> str:
    return broker.url(scheme="mqtts", ca=folder / ca, credentials=folder / f"{user}.txt")


def with_certificate(broker: Mosquitto, folder: Path, user: str) -> str:
    return broker.url(scheme="mqtts", ca=folder / "ca.pem", cert=folder / f"{user}.pem", key=folder / f"{user}.key")


# --- sessions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["password", "certificate"])
@pytest.mark.asyncio
async def test_a_session(kind: str, folder: Path, program: Callable[[str], str]) -> None:
    configure, url = (by_password, with_password) if kind == "password" else (by_certificate, with_certificate)
    log = folder / "log.sqlite"
    with (
        running(program("mosquitto"), folder, configure(folder)) as broker,
        serve("--mqtt", url(broker, folder, "device"), "--seed", "8", *PARAMETERS),
    ):
        summary = await whole_session(url(broker, folder, "controller"), log)
    assert summary.succeeded and summary.cores_counted >= 60
    assert_exact(log, cycles=20)


def exec_line(device: str, *run: str) -> list[str]:
    """A device at `device`, and the host that is told where it is."""
    host = " ".join([*DEVICECTL, "run", "--json", "--target-cores", "6", *run])
    return [*FIRMWARE_SIM, "exec", "--mqtt", device, *PARAMETERS, "--", "sh", "-c", f'exec {host} "$HANDPIECE_URL"']


def test_a_host_beside_the_device_is_not_taken_for_it(passwords: Mosquitto, folder: Path) -> None:
    """It is told where the device is; who it is itself its environment says, which does not count for the device."""
    account = {USERNAME_VARIABLE: "controller", PASSWORD_VARIABLE: PASSWORDS["controller"]}
    line = exec_line(with_password(passwords, folder, "device"), "--log", str(folder / "log.sqlite"), "--device")
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with started(line, **pipes, env=environment(account)) as process:
        said, errors = process.communicate(timeout=patience())
    assert process.returncode == 0, errors
    assert json.loads(said)["reconciled"]
    assert "device.txt" not in errors and "ca.pem" in errors
    users = set(re.findall(r" as ([a-z]+)-\S+ \(.* u'([a-z]+)'\)", passwords.log))
    assert users == {("device", "device"), ("host", "controller")}


@pytest.mark.parametrize("kind", ["password", "certificate"])
def test_what_is_announced_says_not_who_the_device_is(kind: str, folder: Path, program: Callable[[str], str]) -> None:
    configure, url = (by_password, with_password) if kind == "password" else (by_certificate, with_certificate)
    with (
        running(program("mosquitto"), folder, configure(folder)) as broker,
        serve("--mqtt", url(broker, folder, "device")) as served,
    ):
        assert served.urls == [broker.url(scheme="mqtts", ca=folder / "ca.pem")]


def test_the_password_is_shown_nowhere(passwords: Mosquitto, folder: Path) -> None:
    """It comes by the environment or in a file: it is in no process list, log, trace or session log."""
    secrets = [PASSWORDS["device"].encode(), PASSWORDS["controller"].encode()]
    made = folder / "made"
    made.mkdir()
    url = passwords.url(scheme="mqtts", ca=folder / "ca.pem")
    device = with_password(passwords, folder, "device")
    options = ("--trace", str(made / "device.trace"), "--nvm", str(made / "nvm"), *PARAMETERS)
    line = [*DEVICECTL, "run", "--explain", "--json", "--target-cores", "6", "--device", url]
    line += ["--trace", str(made / "host.trace"), "--log", str(made / "log.sqlite")]
    account = {USERNAME_VARIABLE: "controller", PASSWORD_VARIABLE: PASSWORDS["controller"]}
    with (
        serve("--mqtt", device, *options) as served,
        (made / "said").open("wb") as said,
        started(line, stdout=said, stderr=said, env=environment(account)) as host,
    ):
        wait_until(lambda: "Suction:" in (made / "said").read_text("utf-8"), "the session's first cycle")
        lines = list(command_lines())
        assert any(url.encode() in text for text in lines), "the host is among them"
        assert not [text for text in lines if any(secret in text for secret in secrets)]
        assert host.wait(patience()) == 0
        announced = json.dumps(served.said).encode()
    texts = {path.name: path.read_bytes() for path in made.iterdir()} | {"announced": announced}
    assert {"said", "device.trace", "host.trace", "log.sqlite"} <= set(texts) and all(texts.values())
    assert url.encode() in texts["log.sqlite"], "the log names its device"
    assert not [name for name, text in texts.items() if any(secret in text for secret in secrets)]
    assert not any(secret.decode() in passwords.log for secret in secrets)


def command_lines() -> Iterator[bytes]:
    """What everybody on this machine can see of each process."""
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            with contextlib.suppress(OSError):
                yield (process / "cmdline").read_bytes()


# --- kept out by the broker --------------------------------------------------------------------------------------


def kept_out(url: str, folder: Path, account: dict[str, str] | None = None, code: int = 3) -> list[str]:
    """What host and device say who may not come in: each its own line, and nothing of a password."""
    lines = (
        [*DEVICECTL, "run", "--log", str(folder / "log.sqlite"), "--device", url],
        [*FIRMWARE_SIM, "serve", "--max-seconds", "10", "--mqtt", url],
    )
    said = []
    with contextlib.ExitStack() as stack:
        pipes: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        both = [stack.enter_context(started(line, **pipes, env=environment(account))) for line in lines]
        for process in both:
            _, errors = process.communicate(timeout=patience())
            (sentence,) = errors.splitlines()
            assert process.returncode == code, sentence
            assert "hunter" not in sentence
            said.append(sentence)
    return said


NOT_LET_IN: Final = "the broker does not let this user in"
SHUT: Final = "it closed the connection without a word"
BY_ENVIRONMENT: Final = {USERNAME_VARIABLE: "controller", PASSWORD_VARIABLE: "hunter-3"}


@pytest.mark.parametrize(
    ("given", "account", "sentence"),
    [
        ("ca=ca.pem&credentials=wrong.txt", {}, NOT_LET_IN),
        ("ca=ca.pem&credentials=nobody.txt", {}, NOT_LET_IN),
        ("ca=ca.pem", {}, NOT_LET_IN),
        ("ca=ca.pem", BY_ENVIRONMENT, NOT_LET_IN),
        ("ca=other-ca.pem&credentials=controller.txt", {}, "its certificate is not accepted"),
        ("credentials=controller.txt", {}, "its certificate is not accepted"),
        (None, {}, f"{SHUT}; is this its port for TLS (mqtts://) or WebSockets (ws://)"),
    ],
)
def test_passwords_and_the_brokers_certificate(
    given: str | None, account: dict[str, str], sentence: str, passwords: Mosquitto, folder: Path
) -> None:
    (folder / "wrong.txt").write_text("controller\nhunter-3\n")
    (folder / "nobody.txt").write_text("nobody\nhunter-2\n")
    pairs = [] if given is None else [pair.split("=") for pair in given.split("&")]
    url = passwords.url(TOPICS, "mqtt" if given is None else "mqtts", **{name: folder / file for name, file in pairs})
    for said in kept_out(url, folder, account):
        assert sentence in said and f"127.0.0.1:{passwords.port}" in said


def test_the_certificate_of_another_host(folder: Path, program: Callable[[str], str]) -> None:
    """The authority is right: whoever has a certificate of its would be taken for every broker."""
    for kind in ("pem", "key"):
        (folder / f"broker.{kind}").unlink()
        (folder / f"broker.{kind}").symlink_to(folder / f"elsewhere.{kind}")
    with running(program("mosquitto"), folder, by_password(folder)) as broker:
        for said in kept_out(with_password(broker, folder, "controller"), folder):
            assert "its certificate is not accepted: " in said and "not valid for '127.0.0.1'" in said


@pytest.mark.parametrize(
    ("user", "sentence"),
    [
        (None, f"{SHUT}; does it ask for a client's certificate (cert=FILE&key=FILE)?"),
        ("stranger", f"{SHUT}; does it take the certificate in "),
    ],
)
def test_clients_certificates(user: str | None, sentence: str, required: Mosquitto, folder: Path) -> None:
    without = required.url(scheme="mqtts", ca=folder / "ca.pem")
    for said in kept_out(without if user is None else with_certificate(required, folder, user), folder):
        assert sentence in said


@pytest.mark.parametrize("name", ["ca", "credentials"])
def test_a_file_that_is_not_there(name: str, folder: Path) -> None:
    """Nothing is opened: a wrong argument."""
    for said in kept_out(f"mqtts://127.0.0.1:1/bench/sim-7?{name}=nope.pem", folder, code=2):
        shown = "the file" if name == "credentials" else "nope.pem"  # which may be the credentials themselves
        assert f"{name}: cannot read {shown}: No such file or directory" in said


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("ca=acl", "ca: {}/acl has no certificate in PEM that can be read"),
        ("cert=device.pem&key=viewer.key", "{}/viewer.key is not the key of the certificate in {}/device.pem"),
    ],
)
def test_a_file_that_is_another(options: str, sentence: str, folder: Path) -> None:
    """A wrong argument, as above: no broker is asked."""
    for said in kept_out(f"mqtts://127.0.0.1:1/bench/sim-7?{options.replace('=', f'={folder}/')}", folder, code=2):
        assert sentence.format(folder, folder) in said


def test_who_listens_and_never_answers(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        for said in kept_out(f"mqtts://127.0.0.1:{port}/bench/sim-7?ca={folder / 'ca.pem'}", folder):
            assert f"broker 127.0.0.1:{port}: it took the connection and does not answer in TLS; is this" in said


def test_a_broker_without_tls(mosquitto: Mosquitto, folder: Path) -> None:
    for said in kept_out(mosquitto.url(scheme="mqtts", ca=folder / "ca.pem"), folder):
        assert "does it speak TLS at this port?" in said


# --- kept out by the access list ---------------------------------------------------------------------------------

TOLD_WITHIN_S: Final = 5.0
"""What the product promises; no process starts within it, and its own waits end after four."""
NO_REPLY: Final = "and no reply came; may this user read "
NO_HEARTBEAT: Final = (
    "granted a link, and no heartbeat came; may this user read {base}heartbeat, "
    "and the device publish there and read {base}heartbeat/+?"
)


@pytest.mark.parametrize(
    ("without", "sentence"),
    [
        ("write {base}command/+", "does not let this user publish to {base}command/hello"),
        ("read {base}command/+", NO_REPLY),
        ("read {base}reply/", NO_REPLY),
        ("write {base}reply/", NO_REPLY),
        ("read {base}status", "nothing on {base}status, or this user may not read it"),
        ("pattern write {base}heartbeat/", "does not let this user publish to {base}heartbeat/host-"),
        ("read {base}heartbeat\n", NO_HEARTBEAT),
        ("topic write {base}heartbeat\n", NO_HEARTBEAT),
        ("read {base}heartbeat/+", NO_HEARTBEAT),
    ],
)
@pytest.mark.asyncio
async def test_a_right_that_a_host_lacks(
    without: str, sentence: str, folder: Path, program: Callable[[str], str]
) -> None:
    base = TOPICS.base
    write_acl(folder, without=without.format(base=base))
    with (
        running(program("mosquitto"), folder, by_password(folder)) as broker,
        serve("--mqtt", with_password(broker, folder, "device")),
    ):
        url = with_password(broker, folder, "controller")
        done = run_devicectl("run", "--log", folder / "log.sqlite", "--device", url, code=3)
        (said,) = done.stderr.splitlines()
        assert sentence.format(base=base) in said
        with pytest.raises(LinkError, match=re.escape(sentence.format(base=base).strip())):
            async with asyncio.timeout(patience(TOLD_WITHIN_S)), devicectl.connect(url):
                raise AssertionError("it has a link")


def withhold(folder: Path, command: str) -> str:
    """An access list with a controller that may not say one command; its topic."""
    every, topic = f"topic write {TOPICS.of('command', '+')}\n", TOPICS.of("command", command)
    others = "".join(f"topic write {TOPICS.of('command', name)}\n" for name in COMMANDS if name != command)
    text = acl_file(TOPICS)
    assert text.count(every) == 1
    (folder / "acl").write_text(text.replace(every, others))
    return topic


@pytest.mark.parametrize(("command", "state"), [("suction", "aborted"), ("session_close", "open")])
def test_a_command_that_is_withheld_ends_the_session(
    command: str, state: str, folder: Path, program: Callable[[str], str]
) -> None:
    """At once: what an access list forbids stays forbidden. It is closed as aborted, where that may be said."""
    topic, log = withhold(folder, command), folder / "log.sqlite"
    with (
        running(program("mosquitto"), folder, by_password(folder)) as broker,
        serve("--mqtt", with_password(broker, folder, "device"), *PARAMETERS),
    ):
        url = with_password(broker, folder, "controller")
        done = run_devicectl("run", "--json", "--target-cores", "3", "--log", log, "--device", url, code=3)
    said = [line for line in done.stderr.splitlines() if line.startswith("devicectl: ")]
    assert said == [f"devicectl: the broker's access list does not let this user publish to {topic}"]
    assert json.loads(done.stdout)["state"] == state
    with SessionLog.open(log) as opened:
        report = opened.load(1)
    assert next(note.detail for note in report.notes if note.name == "link_lost").endswith(topic)
    assert not [note for note in report.notes if note.name == "recover"]
    if state == "aborted":
        assert_exact(log, state="aborted")


@pytest.mark.parametrize("user", ["viewer", "observer"])
def test_a_host_that_may_not_command(user: str, passwords: Mosquitto, folder: Path) -> None:
    with serve("--mqtt", with_password(passwords, folder, "device")):
        url = with_password(passwords, folder, user)
        (said,) = run_devicectl("run", "--log", folder / "log.sqlite", "--device", url, code=3).stderr.splitlines()
    assert "the broker's access list does not let this user publish to " in said


def stop() -> Procedure[Message]:
    answer: Message = yield Stop()
    return answer


@pytest.mark.asyncio
async def test_a_viewer_looks_and_stops(passwords: Mosquitto, folder: Path) -> None:
    with serve("--mqtt", with_password(passwords, folder, "device")):
        async with devicectl.connect(with_password(passwords, folder, "viewer"), role=Role.VIEWER) as handpiece:
            assert handpiece.device.simulated
            assert isinstance(await handpiece.driver.perform(stop()), StopDone)


@pytest.mark.parametrize("without", ["status", "info"])
@pytest.mark.asyncio
async def test_a_right_that_the_device_lacks(without: str, folder: Path, program: Callable[[str], str]) -> None:
    topic = TOPICS.of(without)
    write_acl(folder, without=f"write {topic}")
    with running(program("mosquitto"), folder, by_password(folder)) as broker:
        url = with_password(broker, folder, "device")
        done = firmware_sim("serve", "--max-seconds", "10", "--mqtt", url)
        with pytest.raises(NoPlaceError, match=f"publish to {topic}"):
            async with asyncio.timeout(patience(TOLD_WITHIN_S)):
                await join(RealTimeDevice(Device(seed=7)), parse_broker_url(url))
    (said,) = done.stderr.splitlines()
    assert done.returncode == 3 and f"does not let this user publish to {topic}" in said


def test_a_device_that_may_not_beat_says_so(folder: Path, program: Callable[[str], str]) -> None:
    """And goes on: its host hears none and leaves, and there may be other ways to it."""
    write_acl(folder, without=f"topic write {TOPICS.of('heartbeat')}\n")
    with (
        running(program("mosquitto"), folder, by_password(folder)) as broker,
        serve("--mqtt", with_password(broker, folder, "device")) as served,
    ):
        url = with_password(broker, folder, "controller")
        for _ in range(2):
            run_devicectl("run", "--log", folder / "log.sqlite", "--device", url, code=3)
        assert served.stop() == 0 and served.process.stderr is not None
        (said,) = served.process.stderr.read().splitlines()
    assert said.startswith("firmware-sim: --mqtt: ")
    assert said.endswith(f"does not let this user publish to {TOPICS.of('heartbeat')}")


# --- the list itself ---------------------------------------------------------------------------------------------

OTHERS: Final = ("heartbeat/host-other", "reply/host-other", "elsewhere")
SHOWN: Final = (*(name.replace("+", "state") for name in PUBLIC), *(f"command/{name}" for name in COMMANDS), *OTHERS)


@asynccontextmanager
async def client(url: str, name: str) -> AsyncIterator[Calls]:
    broker = parse_broker_url(url)
    assert broker.credentials is not None
    user, password = Path(broker.credentials).read_text().split()
    tls = aiomqtt.TLSParameters(ca_certs=broker.ca)
    version = aiomqtt.ProtocolVersion.V5
    async with Calls(
        broker.host, broker.port, identifier=name, username=user, password=password, tls_params=tls, protocol=version
    ) as opened:
        yield opened


@pytest.mark.parametrize("user", Access)
@pytest.mark.asyncio
async def test_mosquitto_reads_the_list_as_it_is_meant(user: str, folder: Path, program: Callable[[str], str]) -> None:
    """Each topic written by each user, and read by it: as tests/unit has it from Mosquitto's manual."""
    text, name = acl_file(TOPICS), f"{user}-1"
    (folder / "acl").write_text(f"{text}pattern read end\nuser all\ntopic readwrite #\n")
    write_passwords(program("mosquitto_passwd"), folder, {**PASSWORDS, "all": "all-hunter-2"})
    topics = [TOPICS.of(*shown.split("/")) for shown in (*SHOWN, f"heartbeat/{name}", f"reply/{name}")]
    written, read = set(), set()
    with running(program("mosquitto"), folder, by_password(folder)) as broker:
        async with (
            client(with_password(broker, folder, "all"), "all") as everybody,
            client(with_password(broker, folder, user), name) as one,
        ):
            for topic in topics:
                with contextlib.suppress(DeniedError):
                    await one.send(Publication(topic, b"{}"))
                    written.add(topic)
            for topic in (TOPICS.of("#"), "end"):
                await one.listen(topic)
            for topic in (*topics, "end"):
                await everybody.send(Publication(topic, b"{}"))
            async with asyncio.timeout(patience(10)):
                async for message in one.messages:
                    if message.topic.value == "end":
                        break
                    read.add(message.topic.value)
    assert written == {topic for topic in topics if allowed(text, user, "write", topic, name)}
    assert read == {topic for topic in topics if allowed(text, user, "read", topic, name)}
    assert written != set(topics) != read
