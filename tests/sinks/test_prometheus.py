"""What Prometheus sees, scraped over HTTP and parsed by Prometheus' own parser."""

from __future__ import annotations

import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from streams.core.judging import Shown
from streams.core.kpi import NOW, WINDOWS
from streams.core.measure import bucket_names
from streams.core.partials import Partial
from streams.core.rows import Row
from streams.core.source import Record
from streams.core.target import MET
from streams.core.terms import Dated, QueueTerms, Terms
from streams.kpis import ALL_KPIS, speed
from streams.metrics import WorkerView
from streams.sinks.prometheus import COUNTED_SERIES_PER_PLACE, KpiCollector, registry
from streams.sinks.server import Health, MetricsServer, serve
from streams.stages.board import BoardStage
from streams.stages.wire import encode
from tests.sinks.test_target_metrics import TARGET

PS = ("queue", "PS", "voice")
END, MARK = 1_791_184_500_000, 1_791_184_000_500


class Board:
    """The dictionaries of a board stage."""

    def __init__(self) -> None:
        self.rows: dict[Any, Any] = {}
        self.counted: dict[Any, int] = {}
        self.corrections: dict[Any, int] = {}
        self.hours: dict[Any, int] = {}
        self.revisions: dict[Any, int] = {}
        self.targets: dict[Any, Any] = {}

    def row(
        self,
        kpi: str,
        value: float,
        cut: tuple[str, ...] = PS,
        window: str = "hour",
        state: str = "open",
        mark: int = MARK,
    ) -> None:
        self.rows[kpi, cut, window, state] = Row(value, value, 1, END, mark)

    def level(self, kpi: str, value: float, cut: tuple[str, ...] = PS) -> None:
        self.row(kpi, value, cut, "now", "now")


Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def get(url: str, **headers: str) -> str:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as reply:
        return str(reply.read().decode())


def samples(text: str) -> Samples:
    found: Samples = {}
    for family in parse_text(text):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found, f"twice: {key}"
            found[key] = sample.value
    return found


def of(found: Samples, name: str, **labels: str) -> float | None:
    return found.get((name, tuple(sorted(labels.items()))))


@pytest.fixture
def boards() -> list[Board]:
    return [Board()]


@pytest.fixture
def served(boards: list[Board]) -> Iterator[MetricsServer]:
    terms = Terms(queues={"PS": [Dated(0, QueueTerms(30_000)), Dated(2_000, QueueTerms(45_000))]})
    view = WorkerView(
        state="running",
        loop_idle_ms=250,
        rebalances=3,
        restore_remaining={("contacts-changelog", 1): 12},
        assigned={"contact-events": 2},
        lag={("contact-events", 0): 7, ("contact-events", 1): 0},
        absorbed={("contact-events", 0): 41},
        marks_ms={"contact-events-0": 1_500},
        events_read={"contacts": 42},
        events_rejected={("ingest", "json.malformed"): 3},
        entities={"contacts": 5},
        entities_forgotten={"customers": 2},
        sums_late={"board": 4},
        keys_refused={"board": 6},
    )
    collector = KpiCollector(lambda: boards, lambda: view, terms, clock=lambda: 2.5)
    server = serve("127.0.0.1", 0, registry(collector), lambda: Health(True, True))
    yield server
    server.close()


def scrape(server: MetricsServer) -> Samples:
    return samples(get(server.url))


def test_a_window_is_a_gauge_with_its_end_and_freshness(
    boards: list[Board], served: MetricsServer
) -> None:
    boards[0].row("service_level_pos", 0.25)
    boards[0].row("service_level_neg", 0.2)
    boards[0].row("answer_speed_mean", 118.25, state="closed")
    boards[0].row("contacts_offered", 4, cut=("channel", "voice"))
    found = scrape(served)
    window = {"queue": "PS", "channel": "voice", "window": "hour"}
    level = "cc_window_service_level_ratio"
    assert of(found, level, **window, state="open", variant="pos") == 0.25
    assert of(found, level, **window, state="open", variant="neg") == 0.2
    closed = window | {"state": "closed"}
    assert of(found, "cc_window_answer_speed_mean_seconds", **closed) == 118.25
    assert of(found, "cc_window_end_timestamp_seconds", **closed) == END / 1000
    assert of(found, "cc_window_updated_timestamp_seconds", **closed) == MARK / 1000
    assert not [key for key in found if key[0] == "cc_window_contacts_offered"]


def test_levels_have_neither_window_nor_state_of_one(
    boards: list[Board], served: MetricsServer
) -> None:
    boards[0].level("contacts_waiting", 3)
    boards[0].level("longest_wait", 61.5)
    boards[0].level("agents_by_state", 5, ("agents_all", "idle"))
    boards[0].level("queue_agents_by_state", 2, ("agents", "PS", "talking"))
    found = scrape(served)
    assert of(found, "cc_contacts_waiting", queue="PS", channel="voice") == 3
    assert of(found, "cc_longest_wait_seconds", queue="PS", channel="voice") == 61.5
    assert of(found, "cc_agents", state="idle") == 5
    assert of(found, "cc_queue_agents", queue="PS", state="talking") == 2
    assert not [key for key in found if key[0].startswith("cc_window_end")]


def test_revisions_of_what_is_shown_whether_there_are_rows_or_not(
    boards: list[Board], served: MetricsServer
) -> None:
    boards.append(Board())
    boards[0].revisions = {
        (PS, "hour", "open"): 9,
        (PS, "rolling_5m", "now"): 8,
        (PS, "now", "now"): 7,
        (("agents", "PS", "idle"), "now", "now"): 6,
        (("self_service", "bot", "voice"), "day", "closed"): 5,
        (("staff",), "day", "open"): 4,
        (("channel", "voice"), "day", "open"): 3,
    }
    boards[1].revisions = {(PS, "hour", "open"): 10}
    found = scrape(served)
    assert {(name, tuple(v for _, v in labels)): n for (name, labels), n in found.items()
            if name.endswith("_revision")} == {
        ("cc_window_revision", ("voice", "PS", "open", "hour")): 10,
        ("cc_window_revision", ("voice", "PS", "now", "rolling_5m")): 8,
        ("cc_now_revision", ("voice", "PS")): 7,
        ("cc_agents_now_revision", ("PS", "idle")): 6,
        ("cc_self_service_window_revision", ("voice", "bot", "closed", "day")): 5,
        ("cc_staff_window_revision", ("open", "day")): 4,
    }  # fmt: skip
    assert of(found, "cc_exporter_series_dropped") == 0


def test_without_a_mark_there_is_no_freshness(boards: list[Board], served: MetricsServer) -> None:
    boards[0].row("contacts_offered", 1, mark=-1)
    names = {name for name, _ in scrape(served)}
    assert "cc_window_end_timestamp_seconds" in names
    assert "cc_window_updated_timestamp_seconds" not in names


def test_a_board_stage_is_what_the_exporter_reads() -> None:
    stage = BoardStage(0, terms=Terms(), kpis=ALL_KPIS, origins=1)
    cut = ("queue", "PS", "voice")
    partial = Partial("contacts-0", 0, cut, 29_853_066, 7, {"contacts_offered": 3})
    stage.absorb([Record("partials", 0, 0, 0, b"", encode(partial))])
    assert list(stage.seal(1).results)
    found = collect(KpiCollector(lambda: [stage]))
    day = {"queue": "PS", "channel": "voice", "window": "day", "state": "open"}
    offered = found["cc_window_contacts_offered"]
    assert [s.value for s in offered if s.labels == day] == [3]
    assert [s.value for s in found["cc_contacts_offered"]] == [3]
    assert [s.value for s in found["cc_intraday_contacts_offered"]] == [3]


def test_a_row_that_is_gone_is_gone(boards: list[Board], served: MetricsServer) -> None:
    boards[0].row("contacts_offered", 4)
    assert [key for key in scrape(served) if key[0] == "cc_window_contacts_offered"]
    boards.clear()
    assert not [key for key in scrape(served) if ("queue", "PS") in key[1]]


def test_while_a_partition_moves_the_newer_row_is_shown(
    boards: list[Board], served: MetricsServer
) -> None:
    boards.append(Board())
    boards[0].row("contacts_offered", 5, mark=MARK + 1)
    boards[1].row("contacts_offered", 4)
    labels = {"queue": "PS", "channel": "voice", "window": "hour", "state": "open"}
    assert of(scrape(served), "cc_window_contacts_offered", **labels) == 5


def test_counters_are_summed_over_boards_and_begin_at_zero(
    boards: list[Board], served: MetricsServer
) -> None:
    boards.append(Board())
    boards[0].counted = {(PS, "contacts_offered"): 3, (("channel", "voice"), "contacts_offered"): 3}
    boards[1].counted = {(PS, "contacts_offered"): 2, (PS, "contacts_left_timeout"): 1}
    found = scrape(served)
    place = {"queue": "PS", "channel": "voice"}
    assert of(found, "cc_contacts_offered_total", **place) == 5
    assert of(found, "cc_contacts_abandoned_total", **place) == 0
    assert of(found, "cc_contacts_left_total", **place, outcome="timeout") == 1
    assert of(found, "cc_contacts_left_total", **place, outcome="callback") == 0
    assert len([key for key in found if key[0] == "cc_contacts_offered_total"]) == 1
    assert not [key for key in found if key[0].endswith("_created")]


def test_corrections_are_shown_for_what_is_counted(
    boards: list[Board], served: MetricsServer
) -> None:
    boards[0].counted = {(PS, "contacts_abandoned"): 3}
    boards[0].corrections = {(PS, "contacts_abandoned"): 1, (PS, "cohort_abandoned"): 1}
    found = [(key, v) for key, v in scrape(served).items() if key[0] == "cc_corrections_total"]
    labels = (("channel", "voice"), ("measure", "contacts_abandoned"), ("queue", "PS"))
    assert found == [(("cc_corrections_total", labels), 1)]


def test_waits_are_a_classic_histogram(boards: list[Board], served: MetricsServer) -> None:
    names = bucket_names(speed.WAIT)
    counts = {names[0]: 2, names[3]: 3, names[-1]: 1, speed.WAIT_MS.name: 4_500_250}
    boards[0].counted = {(PS, name): count for name, count in counts.items()}
    found = scrape(served)
    place = {"queue": "PS", "channel": "voice"}
    bucket = "cc_answer_wait_seconds_bucket"
    assert of(found, bucket, **place, le="5.0") == 2
    assert of(found, bucket, **place, le="15.0") == 2
    assert of(found, bucket, **place, le="20.0") == 5
    assert of(found, bucket, **place, le="3600.0") == 5
    assert of(found, bucket, **place, le="+Inf") == 6
    assert of(found, "cc_answer_wait_seconds_count", **place) == 6
    assert of(found, "cc_answer_wait_seconds_sum", **place) == 4500.25
    assert of(found, "cc_talk_seconds_count", **place) == 0


def test_the_threshold_in_force_now_and_the_hours_of_today(
    boards: list[Board], served: MetricsServer
) -> None:
    boards[0].row("contacts_offered", 4)
    boards[0].hours = {(PS, 9): 213, (("channel", "voice"), 9): 213}
    found = scrape(served)
    assert of(found, "cc_sla_threshold_seconds", queue="PS") == 45
    hour = {"queue": "PS", "channel": "voice", "hour": "09"}
    assert of(found, "cc_intraday_contacts_offered", **hour) == 213
    assert len([key for key in found if key[0] == "cc_intraday_contacts_offered"]) == 1


def test_the_worker_shows_itself(served: MetricsServer) -> None:
    found = scrape(served)
    assert of(found, "cc_worker_state", state="running") == 1
    assert of(found, "cc_worker_state", state="recovering") == 0
    assert of(found, "cc_worker_loop_idle_seconds") == 0.25
    assert of(found, "cc_worker_rebalances_total") == 3
    remaining = {"topic": "contacts-changelog", "partition": "1"}
    assert of(found, "cc_worker_restore_remaining_records", **remaining) == 12
    assert of(found, "cc_worker_assigned_partitions", topic="contact-events") == 2
    assert of(found, "cc_worker_lag_records", topic="contact-events", partition="0") == 7
    assert of(found, "cc_worker_absorbed_offset", topic="contact-events", partition="0") == 41
    assert of(found, "cc_board_mark_timestamp_seconds", origin="contact-events-0") == 1.5
    assert of(found, "cc_events_read_total", stage="contacts") == 42
    rejected = {"stage": "ingest", "reason": "json.malformed"}
    assert of(found, "cc_events_rejected_total", **rejected) == 3
    assert of(found, "cc_worker_entities", stage="contacts") == 5
    assert of(found, "cc_entities_forgotten_total", stage="customers") == 2
    assert of(found, "cc_sums_late_total", stage="board") == 4
    assert of(found, "cc_board_keys_refused_total", stage="board") == 6
    assert 0 < (of(found, "cc_exporter_collect_duration_seconds") or 0) < 1


def test_openmetrics_and_the_name_filter(boards: list[Board], served: MetricsServer) -> None:
    boards[0].row("contacts_offered", 4)
    boards[0].counted = {(PS, "contacts_offered"): 1}
    text = get(served.url, Accept="application/openmetrics-text; version=1.0.0")
    names = {family.name for family in parse_openmetrics(text)}  # type: ignore[no-untyped-call]
    assert {"cc_window_contacts_offered", "cc_contacts_offered", "cc_answer_wait_seconds"} <= names
    only = get(served.url + "?name[]=cc_window_contacts_offered")
    assert {family.name for family in parse_text(only)} == {"cc_window_contacts_offered"}
    filtered = served.url + "?name[]=cc_window_contacts_offered&name[]=cc_worker_state"
    assert samples(only) == {
        at: v for at, v in samples(get(filtered)).items() if "offered" in at[0]
    }


def collect(collector: KpiCollector) -> dict[str, list[Any]]:
    return {metric.name: metric.samples for metric in collector.collect()}


def test_beyond_the_cap_queues_are_left_out_and_counted() -> None:
    board = Board()
    for queue in ("A", "B", "C"):
        board.row("contacts_offered", 1, cut=("queue", queue, "voice"))
        board.level("queue_agents_by_state", 1, ("agents", queue, "idle"))
    board.hours = {(("queue", queue, "voice"), 9): 1 for queue in "ABC"}
    board.counted = {(("queue", "C", "voice"), "contacts_offered"): 1}
    found = collect(KpiCollector(lambda: [board], label_sets_max=2))
    assert [s.labels["queue"] for s in found["cc_window_contacts_offered"]] == ["A", "B"]
    assert [s.labels["queue"] for s in found["cc_queue_agents"]] == ["A", "B"]
    assert [s.labels["queue"] for s in found["cc_contacts_offered"]] == ["A", "B"]
    assert [s.labels["queue"] for s in found["cc_intraday_contacts_offered"]] == ["A", "B"]
    assert found["cc_exporter_label_sets"][0].value == 2
    assert found["cc_exporter_series_dropped"][0].value == 3 + COUNTED_SERIES_PER_PLACE


def test_what_is_there_before_the_first_rows_is_not_counted_as_left_out(
    boards: list[Board], served: MetricsServer
) -> None:
    """A partition is being taken over: its targets are restored, rows follow."""
    boards[0].targets = {
        ("soon", PS): Shown(TARGET, {"queue": "PS", "channel": "voice"}, 1, MET, 1)
    }
    found = scrape(served)
    assert of(found, "cc_exporter_series_dropped") == 0
    assert of(found, "cc_target_revision", target="soon", queue="PS", channel="voice",
              kpi="contacts_waiting", window="now") == 1  # fmt: skip


def test_who_was_shown_stays_shown_until_it_is_gone() -> None:
    board = Board()
    collector = KpiCollector(lambda: [board], label_sets_max=1)
    for queue in ("M", "A"):
        board.row("contacts_offered", 1, cut=("queue", queue, "voice"))
        shown = [s.labels["queue"] for s in collect(collector)["cc_window_contacts_offered"]]
        assert shown == ["M"]
    del board.rows["contacts_offered", ("queue", "M", "voice"), "hour", "open"]
    shown = [s.labels["queue"] for s in collect(collector)["cc_window_contacts_offered"]]
    assert shown == ["A"]


def test_only_the_windows_asked_for() -> None:
    board = Board()
    for window in ("hour", "day"):
        board.row("contacts_offered", 1, window=window)
    found = collect(KpiCollector(lambda: [board], windows=["day"]))
    assert [s.labels["window"] for s in found["cc_window_contacts_offered"]] == ["day"]


def test_reading_while_the_worker_writes_never_fails() -> None:
    """Broken on purpose (``_copied`` handing out the dictionary itself) it fails at once."""
    before = sys.getswitchinterval()
    board, stop = Board(), threading.Event()

    def work() -> None:
        count = 0
        while not stop.is_set():
            count += 1
            cut = ("queue", f"Q{count % 500}", "voice")
            board.row("contacts_offered", count, cut=cut)
            board.counted[cut, "contacts_offered"] = count
            board.hours[cut, count % 24] = count
            if count % 700 == 0:
                board.rows.clear()

    writer = threading.Thread(target=work)
    sys.setswitchinterval(1e-6)
    writer.start()
    try:
        collector = KpiCollector(lambda: [board], label_sets_max=1_000)
        until = time.monotonic() + 20
        scrapes = 0
        while scrapes < 20 and time.monotonic() < until:
            collect(collector)
            scrapes += 1
    finally:
        stop.set()
        sys.setswitchinterval(before)
        writer.join()
    assert scrapes > 3


def test_ten_thousand_series_are_scraped_in_time() -> None:
    """Measured on two shared cores: 0.2 to 0.3 s.  Prometheus gives up after 10 s by default."""
    board = Board()
    windowed = [k for k in ALL_KPIS if k.metric and k.windows != NOW]
    for queue in range(40):
        cut = ("queue", f"queue-{queue}", "voice")
        for kpi in windowed:
            for window in WINDOWS:
                for state in ("open", "closed"):
                    board.row(kpi.name, 0.5, cut, window, state)
        board.counted[cut, "contacts_offered"] = 1
    server = serve(
        "127.0.0.1", 0, registry(KpiCollector(lambda: [board])), lambda: Health(True, True)
    )
    try:
        began = time.perf_counter()
        text = get(server.url)
        took = time.perf_counter() - began
    finally:
        server.close()
    count = sum(1 for line in text.splitlines() if not line.startswith("#"))
    print(f"{count} series in {took:.3f} s, {len(text) / 1e6:.1f} MB")
    assert count > 10_000
    assert took < 5
