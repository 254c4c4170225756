"""Certificates read from a real TLS server, and from files."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from streams.doctor import certificate
from streams.doctor.connection import DAY_MS
from streams.settings import Kafka

SECONDS = 5.0


class Pair(NamedTuple):
    cert: Path
    key: Path


def make(folder: Path, days: int, names: str, *more: str) -> Pair:
    """A self-signed certificate and its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make certificates with")
    pair = Pair(folder / f"{days}.pem", folder / f"{days}.key")
    words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    words += ["-keyout", str(pair.key), "-out", str(pair.cert), "-days", str(days)]
    words += ["-subj", "/CN=broker", "-addext", f"subjectAltName={names}", *more]
    subprocess.run([openssl, *words], check=True, capture_output=True)
    return pair


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """For two days, and for this machine."""
    return make(tmp_path_factory.mktemp("tls"), 2, "IP:127.0.0.1", "-nodes")


@contextmanager
def serving(pair: Pair) -> Iterator[str]:
    """A TLS server with this certificate; gives its address."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.cert, pair.key)

    def serve() -> None:
        with suppress(OSError):
            while True:
                plain, _ = listener.accept()
                with suppress(OSError), plain, context.wrap_socket(plain, server_side=True):
                    pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(SECONDS)


def days_left(expires_ms: int | None) -> float:
    assert expires_ms is not None
    return (expires_ms - time.time() * 1000) / DAY_MS


def test_an_accepted_server_tells_when_its_certificate_expires(short: Pair) -> None:
    context = certificate.context_of(Kafka(cafile=str(short.cert)))
    with serving(short) as address:
        found = certificate.of_server(address, context, SECONDS)
    assert (found.where, found.problem) == (address, "")
    assert days_left(found.expires_ms) == pytest.approx(2, abs=0.1)


def test_one_that_is_not_trusted_says_why_and_still_when_it_expires(short: Pair) -> None:
    context = certificate.context_of(Kafka())
    with serving(short) as address:
        found = certificate.of_server(address, context, SECONDS)
    assert "self-signed certificate" in found.problem
    assert days_left(found.expires_ms) == pytest.approx(2, abs=0.1)


def test_one_of_another_name_is_not_accepted(tmp_path: Path) -> None:
    other = make(tmp_path, 100, "DNS:kafka-1.internal", "-nodes")
    context = certificate.context_of(Kafka(cafile=str(other.cert)))
    with serving(other) as address:
        found = certificate.of_server(address, context, SECONDS)
    assert "IP address mismatch" in found.problem
    assert days_left(found.expires_ms) == pytest.approx(100, abs=0.1)


def test_a_server_without_tls_is_told_as_such(short: Pair) -> None:
    context = certificate.context_of(Kafka(cafile=str(short.cert)))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"

        def hang_up() -> None:
            plain, _ = listener.accept()
            plain.recv(100)
            plain.sendall(b"\x00\x00\x00\x00\x00\x00")
            plain.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        found = certificate.of_server(address, context, SECONDS)
        thread.join(SECONDS)
    assert found.problem.startswith("no TLS there")
    assert found.expires_ms is None


def test_files_tell_when_they_expire_also_after_2050(short: Pair, tmp_path: Path) -> None:
    long = make(tmp_path, 12_000, "DNS:x", "-nodes")
    both = tmp_path / "both.pem"
    both.write_bytes(b"# of whom\n" + short.cert.read_bytes() + long.cert.read_bytes())
    trusted, own = certificate.of_files(Kafka(cafile=str(both), certfile=str(both)))
    assert (trusted.where, own.where) == ("kafka.cafile", "kafka.certfile")
    assert days_left(trusted.expires_ms) == pytest.approx(12_000, abs=0.1)
    assert days_left(own.expires_ms) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize(
    "text", ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
)
def test_a_file_that_holds_no_certificate_is_a_problem(text: str, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_text(text)
    (found,) = certificate.of_files(Kafka(cafile=str(path)))
    assert found.problem
    (missing,) = certificate.of_files(Kafka(cafile=str(tmp_path / "nowhere")))
    assert missing.problem == "No such file or directory"


def test_a_key_with_a_password_is_an_error_and_no_question(tmp_path: Path) -> None:
    pair = make(tmp_path, 5, "DNS:x", "-passout", "pass:secret")
    with pytest.raises(OSError, match=r"."):
        certificate.context_of(Kafka(certfile=str(pair.cert), keyfile=str(pair.key)))
