"""The files by which a client proves itself to a broker: each way to name wrong ones. OpenSSL asks nobody."""

import os
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as formats

from devicectl.cli import call as devicectl
from firmware_sim.cli import call as firmware_sim
from handpiece_shell.broker_files import check_broker_files, read_credentials, tls_context
from protocols.mqtt.broker_url import BrokerUrlError, parse_broker_url
from tests.brokers import make_certificates

PASSPHRASE = formats.BestAvailableEncryption(b"hunter2")
PEM = formats.Encoding.PEM


def encrypted(key: Path, format: formats.PrivateFormat) -> bytes:
    plain = formats.load_pem_private_key(key.read_bytes(), None)
    return plain.private_bytes(PEM, format, PASSPHRASE)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    own, authority = (folder / "device.pem").read_bytes(), (folder / "ca.pem").read_bytes()
    (folder / "chain.pem").write_bytes(own + authority)
    (folder / "reversed.pem").write_bytes(authority + own)
    (folder / "both.pem").write_bytes((folder / "device.key").read_bytes() + own)
    (folder / "pkcs8.key").write_bytes(encrypted(folder / "device.key", formats.PrivateFormat.PKCS8))
    (folder / "openssl.key").write_bytes(encrypted(folder / "device.key", formats.PrivateFormat.TraditionalOpenSSL))
    (folder / "text").write_text("a text")
    (folder / "empty").touch()
    (folder / "torn.pem").write_bytes(own[:200] + own[-40:])
    (folder / "latin.pem").write_bytes("# Zürich\n".encode("latin-1") + authority)
    (folder / "der.pem").write_bytes(ssl.PEM_cert_to_DER_cert(own.decode()))
    return folder


@pytest.fixture
def folder(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(made)
    for name in ("USERNAME", "PASSWORD"):
        monkeypatch.delenv(f"HANDPIECE_MQTT_{name}", raising=False)
    return made


def refused(query: str) -> tuple[str, str]:
    with pytest.raises(BrokerUrlError) as caught:
        check_broker_files(parse_broker_url(f"mqtts://h/bench/sim-7?{query}"))
    assert caught.value.reason.isprintable()
    return caught.value.part, caught.value.reason


@pytest.mark.parametrize("query", ["ca=ca.pem", "ca=latin.pem", "ca=chain.pem"])
@pytest.mark.parametrize("own", ["", "&cert=device.pem&key=device.key", "&cert=chain.pem&key=device.key"])
def test_files_that_can_be_used(query: str, own: str, folder: Path) -> None:
    context = tls_context(parse_broker_url(f"mqtts://h/bench/sim-7?{query}{own}"))
    assert context is not None and context.get_ca_certs()
    assert context.check_hostname and context.verify_mode is ssl.CERT_REQUIRED


def test_one_file_may_have_both(folder: Path) -> None:
    check_broker_files(parse_broker_url("mqtts://h/bench/sim-7?cert=both.pem&key=both.pem"))


def test_without_a_file_the_systems_authorities_count(folder: Path) -> None:
    context = tls_context(parse_broker_url("mqtts://h/bench/sim-7"))
    usual = ssl.create_default_context()
    assert context is not None and len(context.get_ca_certs()) == len(usual.get_ca_certs())
    assert tls_context(parse_broker_url("mqtt://h/bench/sim-7")) is None


@pytest.mark.parametrize(
    ("query", "part", "said"),
    [
        ("cert=device.pem&key=pkcs8.key", "key", "pkcs8.key is encrypted, and nobody is asked for its passphrase"),
        ("cert=device.pem&key=openssl.key", "key", "openssl.key is encrypted, and nobody is asked for"),
        ("cert=device.key&key=device.pem", "cert", "device.key is the key and device.pem the certificate: they are"),
        (
            "cert=reversed.pem&key=device.key",
            "cert",
            "reversed.pem begins with another's certificate: the client's own",
        ),
        ("cert=device.pem&key=viewer.key", "cert", "viewer.key is not the key of the certificate in device.pem"),
        ("cert=reversed.pem&key=viewer.key", "cert", "viewer.key is not the key of the certificate in reversed.pem"),
        ("cert=device.key&key=device.key", "cert", "device.key has no certificate in PEM"),
        ("cert=device.pem&key=device.pem", "key", "device.pem has no private key in PEM"),
        ("cert=text&key=device.key", "cert", "text has no certificate in PEM"),
        ("cert=text&key=device.pem", "cert", "text has no certificate in PEM"),
        ("cert=der.pem&key=device.key", "cert", "der.pem has no certificate in PEM"),
        ("cert=torn.pem&key=device.key", "cert", "torn.pem and device.key cannot be used: "),
        ("cert=nope&key=device.key", "cert", "cannot read nope: No such file or directory"),
        ("cert=device.pem&key=nope", "key", "cannot read nope: No such file or directory"),
        ("cert=device.pem&key=.", "key", "cannot read .: Is a directory"),
        ("ca=nope", "ca", "cannot read nope: No such file or directory"),
        ("ca=.", "ca", "cannot read .: Is a directory"),
        ("ca=text", "ca", "text has no certificate in PEM that can be read"),
        ("ca=empty", "ca", "empty has no certificate in PEM that can be read"),
        ("ca=device.key", "ca", "device.key has no certificate in PEM that can be read"),
        ("ca=torn.pem", "ca", "torn.pem has no certificate in PEM that can be read"),
        ("credentials=nope", "credentials", "cannot read the file: No such file or directory"),
        ("credentials=der.pem", "credentials", "the file is not UTF-8"),
        ("credentials=empty", "credentials", "the file has two lines"),
    ],
)
def test_files_that_cannot_be_used(query: str, part: str, said: str, folder: Path) -> None:
    told, reason = refused(query)
    assert told == part and said in reason


@pytest.mark.parametrize("key", ["pkcs8.key", "openssl.key"])
@pytest.mark.parametrize("end", ["devicectl", "firmware-sim"])
def test_an_encrypted_key_is_refused_before_anything_is_opened(
    key: str, end: str, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """At standard input, which is a terminal in a user's hands, nothing is read."""
    monkeypatch.chdir(tmp_path)
    url = f"mqtts://127.0.0.1:1/bench/sim-7?cert={made / 'device.pem'}&key={made / key}"
    calls: dict[str, Callable[[], int]] = {
        "devicectl": lambda: devicectl(["run", "--log", "log", "--trace", "trace", "--device", url]),
        "firmware-sim": lambda: firmware_sim(["serve", "--nvm", "memory", "--trace", "trace", "--mqtt", url]),
    }
    assert calls[end]() == 2
    said = capfd.readouterr()
    assert said.out == "" and len(said.err.splitlines()) == 1
    assert f"key: {made / key} is encrypted" in said.err and "Enter PEM" not in said.err
    assert os.listdir() == []


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"\xef\xbb\xbfme\nsecret\n", ("me", "secret")),
        (b"\xef\xbb\xbfme\r\nsecret\r\n", ("me", "secret")),
        ("me\ns\x0becr\u2028et\n".encode(), ("me", "s\x0becr\u2028et")),
        (b"me\rsecret\r", ("me", "secret")),
    ],
)
def test_credentials(raw: bytes, expected: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "me.txt").write_bytes(raw)
    url = parse_broker_url(f"mqtt://h/bench/sim-7?credentials={tmp_path / 'me.txt'}")
    assert read_credentials(url, {"HANDPIECE_MQTT_USERNAME": "somebody"}) == expected


def test_credentials_of_the_environment() -> None:
    url = parse_broker_url("mqtt://h/bench/sim-7")
    names = ("HANDPIECE_MQTT_USERNAME", "HANDPIECE_MQTT_PASSWORD")
    assert read_credentials(url, {}) == ("", "")
    assert read_credentials(url, dict(zip(names, ("me", "zwölf €"), strict=True))) == ("me", "zwölf €")
    for name in names:
        for wrong in ("secret\r", "sec\nret", "\x7fsecret"):
            with pytest.raises(BrokerUrlError, match="control character") as caught:
                read_credentials(url, {name: wrong})
            assert caught.value.part == f"${name}" and "secret" not in str(caught.value)
