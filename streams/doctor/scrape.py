"""Reading a worker's /metrics."""

from __future__ import annotations

import base64
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from streams import metrics
from streams.doctor.observed import Worker
from streams.settings import Metrics

BYTES_MAX = 64 * 1024 * 1024
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
_WANTED = {
    name: metrics.WORKER[name].name
    for name in (
        "marks_ms",
        "lag",
        "events_read",
        "events_rejected",
        "records_lost",
        "keys_refused",
    )
} | {
    "state": metrics.WORKER_STATE.name,
    "version": metrics.BUILD.name,
    "series_dropped": metrics.DROPPED.name,
}
_COUNTED = ("records_lost", "keys_refused", "series_dropped")


def url_of(settings: Metrics) -> str:
    """Where a worker with these settings would be on this machine; empty for any free port."""
    host = _EVERYWHERE.get(settings.host, settings.host)
    return f"http://{host}:{settings.port}/metrics" if settings.port else ""


def completed(url: str) -> str:
    """A URL as somebody types it, made whole.

    >>> completed("worker-1:9464"), completed("https://worker-1/w/metrics")
    ('http://worker-1:9464/metrics', 'https://worker-1/w/metrics')
    """
    scheme, _, rest = (url if "://" in url else f"http://{url}").partition("://")
    place, _, path = rest.partition("/")
    return f"{scheme}://{place.rpartition('@')[2]}/{path if path.strip('/') else 'metrics'}"


def worker_at(url: str, login: Metrics, seconds: float) -> Worker:
    """What it says, or why it does not."""
    try:
        text = _fetched(url, login, seconds)
    except urllib.error.HTTPError as error:
        return Worker(url, f"HTTP {error.code} {error.reason}")
    except (OSError, ValueError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        return Worker(
            url, f"does not answer ({getattr(reason, 'strerror', None) or str(reason).strip()})"
        )
    try:
        return read(url, text)
    except ValueError:
        return Worker(url, "what it answers are no metrics")


def _fetched(url: str, login: Metrics, seconds: float) -> str:
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError("neither http nor https")
    request = urllib.request.Request(url)
    if login.password:
        pair = base64.b64encode(f"{login.username}:{login.password}".encode()).decode()
        # Not for wherever we are sent on to.
        request.add_unredirected_header("Authorization", f"Basic {pair}")
    with urllib.request.urlopen(request, timeout=seconds) as answer:
        content: bytes = answer.read(BYTES_MAX)
    return content.decode("utf-8", "replace")


def read(url: str, text: str) -> Worker:
    """The worker that this text exposition is of; ValueError if it is none."""
    found = _samples(text)
    if not found["state"]:
        return Worker(url, "no contact-streams worker")
    lag = {(s.labels["topic"], int(s.labels["partition"])): int(s.value) for s in found["lag"]}
    return Worker(
        url,
        state=next((s.labels["state"] for s in found["state"] if s.value), ""),
        version=next((s.labels["version"] for s in found["version"]), ""),
        marks_ms={s.labels["origin"]: s.value * 1000 for s in found["marks_ms"]},
        lag=lag,
        events_read=_by_stage(found["events_read"]),
        events_rejected=_by_stage(found["events_rejected"]),
        **_totals(found),
    )


def _by_stage(samples: Iterable[Sample]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for sample in samples:
        counts[sample.labels["stage"]] += int(sample.value)
    return dict(counts)


def _totals(found: Mapping[str, Sequence[Sample]]) -> Any:
    return {name: int(sum(sample.value for sample in found[name])) for name in _COUNTED}


def _samples(text: str) -> dict[str, list[Sample]]:
    """Of the metrics that are wanted only: parsing all of them takes seconds."""
    starts = tuple(_WANTED.values())
    lines = "".join(f"{line}\n" for line in text.splitlines() if line.startswith(starts))
    samples = [s for family in text_string_to_metric_families(lines) for s in family.samples]
    return {name: list(_of(samples, metric)) for name, metric in _WANTED.items()}


def _of(samples: Iterable[Sample], metric: str) -> Iterable[Sample]:
    return (sample for sample in samples if sample.name == metric)
