"""The files and variables by which a client proves itself to a broker: read and judged before anything is opened.

Law: OpenSSL judges certificates. What it refuses is one sentence with the file's name, and it never asks anybody
for a passphrase: there is a terminal in the midst of an event loop, or none at all.
"""

import os
import re
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NoReturn

from handpiece_shell.limited_file import read_limited
from protocols.mqtt.broker_url import PASSWORD_VARIABLE, USERNAME_VARIABLE, BrokerUrl, BrokerUrlError, parse_credentials
from protocols.text.names import has_control

MAX_BYTES: Final = 4 << 20
"""Bytes of a file; the authorities of a whole system have a few hundred thousand."""
_CERTIFICATE: Final = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----.*?-----END [^-]+-----\s?", re.DOTALL)
_PRIVATE_KEY: Final = re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----")


def check_broker_files(url: BrokerUrl, environment: Mapping[str, str] = os.environ) -> None:
    """See that a client of the broker at `url` can prove itself, as far as its own files go.

    Raises:
        BrokerUrlError: names the part of the URL, or the variable, that cannot be used.
    """
    read_credentials(url, environment)
    tls_context(url)


def read_credentials(url: BrokerUrl, environment: Mapping[str, str] = os.environ) -> tuple[str, str]:
    """User name and password, empty where there are none: from the file of `credentials`, else from the environment.

    Raises:
        BrokerUrlError: the file cannot be read, or has other lines; a variable has a control character.
    """
    if url.credentials is None:
        return _variable(USERNAME_VARIABLE, environment), _variable(PASSWORD_VARIABLE, environment)
    try:
        text = _read("credentials", url.credentials).decode("utf-8-sig")  # Windows begins texts with a mark
    except UnicodeDecodeError:
        raise BrokerUrlError("credentials", "the file is not UTF-8") from None  # whose words quote it
    return parse_credentials(text)


def tls_context(url: BrokerUrl) -> ssl.SSLContext | None:
    """Context of TLS for the broker at `url`; None where there is no TLS.

    Raises:
        BrokerUrlError: a file cannot be read, or is not what its option is for.
    """
    if not url.tls:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if url.ca is None:
        context.load_default_certs()
    else:
        _load_authorities(context, url.ca)
    if url.cert is not None and url.key is not None:
        _load_own(context, url.cert, url.key)
    return context


def _variable(name: str, environment: Mapping[str, str]) -> str:
    value = environment.get(name, "")
    if has_control(value):
        raise BrokerUrlError(f"${name}", "it has a control character, such as the end of a line")
    return value


def _load_authorities(context: ssl.SSLContext, path: str) -> None:
    _read("ca", path)  # the library does not say which file is missing
    try:
        context.load_verify_locations(path)
    except ssl.SSLError as error:
        raise BrokerUrlError("ca", f"{path} has no certificate in PEM that can be read") from error


def _load_own(context: ssl.SSLContext, cert: str, key: str) -> None:
    certificates, keys = _read("cert", cert), _read("key", key)
    if not _CERTIFICATE.search(certificates) and _PRIVATE_KEY.search(certificates) and _CERTIFICATE.search(keys):
        raise BrokerUrlError("cert", f"{cert} is the key and {key} the certificate: they are in each other's place")
    if not _CERTIFICATE.search(certificates):
        raise BrokerUrlError("cert", f"{cert} has no certificate in PEM")
    if not _PRIVATE_KEY.search(keys):
        raise BrokerUrlError("key", f"{key} has no private key in PEM")
    try:
        context.load_cert_chain(cert, key, password=lambda: _refuse_encrypted(key))
    except ssl.SSLError as error:
        raise BrokerUrlError("cert", _why_not_own(error, certificates, cert, key)) from error


def _refuse_encrypted(key: str) -> NoReturn:
    reason = (
        f"{key} is encrypted, and nobody is asked for its passphrase; `openssl pkey -in FILE` writes it without one"
    )
    raise BrokerUrlError("key", reason)


def _why_not_own(error: ssl.SSLError, certificates: bytes, cert: str, key: str) -> str:
    if "MISMATCH" not in (error.reason or ""):
        return f"{cert} and {key} cannot be used: {(error.reason or str(error)).lower().replace('_', ' ')}"
    chain = [found[0] for found in _CERTIFICATE.finditer(certificates)]
    if any(_fits(chain[place], key) for place in range(1, len(chain))):
        return f"{cert} begins with another's certificate: the client's own comes first, then who signed it, and so on"
    return f"{key} is not the key of the certificate in {cert}"


def _fits(certificate: bytes, key: str) -> bool:
    """True if the key in the file at `key`, which can be read, is that of a certificate."""
    with tempfile.TemporaryDirectory() as folder:  # the library reads files alone; a certificate is no secret
        alone = Path(folder) / "certificate.pem"
        alone.write_bytes(certificate)
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(alone, key)
        except ssl.SSLError:
            return False
    return True


def _read(name: str, path: str) -> bytes:
    try:
        return read_limited(Path(path), MAX_BYTES)
    except OSError as error:
        shown = "the file" if name == "credentials" else path  # which may be the credentials themselves
        raise BrokerUrlError(name, f"cannot read {shown}: {error.strerror}") from None
