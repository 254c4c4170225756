"""Targets as Prometheus sees them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from streams.core.judging import Shown
from streams.core.target import BREACHED, MET, WARNING, Limits, Since, Target
from streams.kpis import ALL_KPIS
from streams.sinks import targets
from streams.sinks.targets import target_metrics

KPI = next(kpi for kpi in ALL_KPIS if kpi.name == "contacts_waiting")
TARGET = Target("Not too long", KPI, "now", False, (Since(0, Limits(10, 5)),))


def shown(queue: str, state: str) -> tuple[Any, Shown]:
    cut = ("queue", queue, "voice")
    key = {"queue": queue, "channel": "voice"}
    return (TARGET.name, cut), Shown(TARGET, key, 10, state, 7)


def collected(rows: Any, dropped: Counter[str], allowed: str = "") -> dict[str, dict[str, float]]:
    """Metric -> queue -> value."""
    found = target_metrics(dict(rows), lambda cut: allowed in cut[1], dropped)
    return {m.name: {s.labels["queue"]: s.value for s in m.samples} for m in found}


def test_the_target_and_how_it_stands() -> None:
    dropped: Counter[str] = Counter()
    found = collected([shown("a", BREACHED), shown("b", WARNING), shown("c", MET)], dropped)
    assert found == {
        "cc_target": {"a": 10, "b": 10, "c": 10},
        "cc_target_breached": {"a": 1, "b": 0, "c": 0},
        "cc_target_warning": {"a": 0, "b": 1, "c": 0},
        "cc_target_revision": {"a": 7, "b": 7, "c": 7},
    }
    assert dropped.total() == 0


def test_labels_are_the_place_the_kpi_and_the_window() -> None:
    key, row = shown("a", MET)
    without_queue = Shown(TARGET, {"channel": "voice"}, 10, MET, -1)
    metric = next(iter(target_metrics({key: without_queue}, lambda cut: True, Counter())))
    assert metric.samples[0].labels == {
        "target": "Not too long", "queue": "", "channel": "voice",
        "kpi": "contacts_waiting", "window": "now",
    }  # fmt: skip
    assert row.state == MET


def test_what_is_left_out_is_counted_and_is_not_what_is_breached(monkeypatch: Any) -> None:
    monkeypatch.setattr(targets, "ROWS_MAX", 2)
    dropped: Counter[str] = Counter()
    rows = [shown("a1", MET), shown("a2", WARNING), shown("a3", BREACHED), shown("b", BREACHED)]
    found = collected(rows, dropped, allowed="a")
    assert found["cc_target"] == {"a2": 10, "a3": 10}
    assert dropped["targets"] == 8
