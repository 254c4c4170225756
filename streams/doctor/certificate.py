"""Certificates: whether a server's is accepted, and when one expires.

The expiry is read from the certificate itself, because the standard library tells it of accepted
ones only, and the others are those one asks about.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from streams.doctor.observed import Certificate
from streams.settings import Kafka

SEQUENCE, VERSION = 0x30, 0xA0
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def of_server(address: str, context: ssl.SSLContext, seconds: float) -> Certificate:
    """What a TLS client with this context is shown at ``host:port``."""
    try:
        return Certificate(address, expires_ms(_shown(address, context, seconds)))
    except ssl.SSLCertVerificationError as error:
        return Certificate(address, _expiry_anyway(address, seconds), error.verify_message)
    except ssl.SSLError as error:
        return Certificate(address, None, f"no TLS there that fits ours: {error.reason}")
    except OSError as error:
        return Certificate(address, None, error.strerror or str(error))


def of_files(kafka: Kafka) -> list[Certificate]:
    """Those that the settings name."""
    named = {"kafka.cafile": kafka.cafile, "kafka.certfile": kafka.certfile}
    return [_of_file(name, Path(path)) for name, path in named.items() if path]


def _of_file(name: str, path: Path) -> Certificate:
    try:
        found = _PEM.findall(path.expanduser().read_bytes())
        expiries = [expires_ms(ssl.PEM_cert_to_DER_cert(pem.decode())) for pem in found]
    except (OSError, ValueError) as error:
        return Certificate(name, None, getattr(error, "strerror", None) or "cannot be read")
    if not expiries:
        return Certificate(name, None, "has no certificate in PEM")
    # The client's own comes first in its file; of those to trust, old ones do no harm.
    return Certificate(name, expiries[0] if name == "kafka.certfile" else max(expiries))


def context_of(kafka: Kafka) -> ssl.SSLContext:
    """As the clients make it.  OSError (ssl.SSLError) if a file does not fit."""
    context = ssl.create_default_context(cafile=kafka.cafile or None)
    if kafka.certfile:
        # A key with a password must not ask the terminal for it.
        context.load_cert_chain(kafka.certfile, kafka.keyfile, password=lambda: "")
    return context


def _shown(address: str, context: ssl.SSLContext, seconds: float) -> bytes:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    with (
        socket.create_connection((host, int(port)), timeout=seconds) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        return secure.getpeercert(binary_form=True) or b""


def _expiry_anyway(address: str, seconds: float) -> int | None:
    context = ssl.create_default_context()
    context.check_hostname = False
    # Nothing is sent over it: it is looked at only.
    context.verify_mode = ssl.CERT_NONE
    try:
        return expires_ms(_shown(address, context, seconds))
    except (OSError, ValueError):
        return None


def expires_ms(der: bytes) -> int:
    """Until when a certificate (X.509, DER) is valid, in ms; ValueError if it is none."""
    try:
        certificate = next(_elements(der))[1]
        to_be_signed = next(_elements(certificate))[1]
        fields = [one for one in _elements(to_be_signed) if one[0] != VERSION]
        # Serial number, algorithm, issuer, validity.
        _, (tag, text) = _elements(fields[3][1])
    except (IndexError, StopIteration) as error:
        raise ValueError("not a certificate") from error
    # Years of two digits are 1950 to 2049 (RFC 5280), as strptime has them but for 50 to 68.
    digits = text.decode("ascii")
    if tag == 0x17:
        digits = ("19" if digits >= "5" else "20") + digits
    at = datetime.strptime(digits, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    return round(at.timestamp() * 1000)


def _elements(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element, one behind the other."""
    at = 0
    while at < len(der):
        tag, length, at = der[at], der[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(der[at : at + size]), at + size
        yield tag, der[at : at + length]
        at += length
