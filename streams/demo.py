"""One real day, and the numbers that must come out of it.

The day is shipped with the package (``data/one_day``): 2,239 calls of a bank's call centre as an
Asterisk queue_log, with every figure counted independently.  Here are the log, the figures, and
how to find the same figures in results and in a scrape of /metrics.  Nothing is rounded: a figure
is right or it is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from math import isclose
from pathlib import Path
from typing import Any

from streams.results import Result

FOLDER = Path(__file__).with_name("data") / "one_day"
LOG = FOLDER / "queue_log"
DAY = "2026-10-05T00:00:00"
ALL = "all queues"
Figures = Mapping[tuple[str, str], float]
"""(Queue, or ``ALL``, or an hour; name of the figure) -> number; what is 0 may be absent."""

_BY_KPI: Mapping[str, Mapping[str, str]] = {
    "contacts_offered": {"value": "offered"},
    "contacts_answered": {"value": "answered"},
    "contacts_abandoned": {"value": "abandoned"},
    "abandonment_ratio": {"value": "abandonment_ratio"},
    "abandonment_wait_mean": {"numerator": "wait_abandoned_s"},
    "answer_speed_mean": {"value": "asa_s", "numerator": "wait_answered_s"},
    "talk_time_mean": {"value": "mean_talk_s", "numerator": "talk_s"},
    "service_level_answered": {"value": "sl_answered_20", "numerator": "answered_20s"},
    "service_level_pos": {"value": "sl_pos_20", "numerator": "pos"},
    "service_level_neg": {"value": "sl_neg_20"},
    "service_level_late_ab": {"value": "sl_late_ab_20"},
    "service_level_short_pos": {"value": "sl_short_pos_20", "numerator": "short_pos"},
}
"""KPI -> field of its result -> name of the figure."""
_COUNTED: Mapping[str, str] = {
    "cc_contacts_offered_total": "offered",
    "cc_contacts_answered_total": "answered",
    "cc_contacts_abandoned_total": "abandoned",
    "cc_contacts_answered_in_threshold_total": "answered_20s",
    "cc_contacts_abandoned_in_threshold_total": "abandoned_20s",
    "cc_contacts_abandoned_short_total": "abandoned_5s",
    "cc_answer_wait_seconds_sum": "wait_answered_s",
    "cc_abandonment_wait_seconds_sum": "wait_abandoned_s",
    "cc_talk_seconds_sum": "talk_s",
}
"""What the worker has counted: added up over queues it is the figure of all of them."""
_SHOWN: Mapping[tuple[str, str], str] = {
    ("cc_window_abandonment_ratio", ""): "abandonment_ratio",
    ("cc_window_answer_speed_mean_seconds", ""): "asa_s",
    ("cc_window_talk_time_mean_seconds", ""): "mean_talk_s",
    ("cc_window_service_level_ratio", "answered"): "sl_answered_20",
    ("cc_window_service_level_ratio", "pos"): "sl_pos_20",
    ("cc_window_service_level_ratio", "neg"): "sl_neg_20",
    ("cc_window_service_level_ratio", "late_ab"): "sl_late_ab_20",
    ("cc_window_service_level_ratio", "short_pos"): "sl_short_pos_20",
}
"""(Gauge, variant) of the day's window."""
_SAMPLE = re.compile(r"(\w+)\{([^}]*)\} (\S+)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


def expected() -> Figures:
    """Every figure of the day, by queue, for all queues, and offered by hour."""
    told = json.loads((FOLDER / "expected.json").read_text("utf-8"))
    figures = {
        (ALL if queue == "__all__" else queue, name): value
        for queue, values in told["by_queue"].items()
        for name, value in values.items()
    }
    hours = {(hour[:19], "offered"): n for hour, n in told["offered_by_hour_utc"].items()}
    return figures | hours


def expected_of_metrics() -> Figures:
    """Those of them that /metrics has: it shows no hours of past days, and nothing of all queues
    but what can be added up."""
    counted = set(_COUNTED.values())
    return {
        (place, name): value
        for (place, name), value in expected().items()
        if not place.startswith(DAY[:10]) and (place != ALL or name in counted)
    }


def of_results(results: Iterable[Result]) -> Figures:
    """The figures of the day as they stand in the KPI topics."""
    figures = dict(figure for result in results for figure in _of_result(result))
    # What a service level with early abandonments has above the line, and one without has not.
    for (place, name), answered in list(figures.items()):
        if name == "answered_20s":
            for part, whole in (("abandoned_20s", "pos"), ("abandoned_5s", "short_pos")):
                figures[place, part] = figures.pop((place, whole)) - answered
    return figures


def _of_result(result: Result) -> Iterator[tuple[tuple[str, str], float]]:
    if result.window not in ("day", "hour"):
        return
    place = _place(result.key)
    if place is None or not result.start.startswith(DAY[:10]):
        return
    if result.window == "day":
        for field, name in _BY_KPI.get(result.kpi, {}).items():
            yield (place, name), result.fields[field]
    elif result.window == "hour" and result.kpi == "contacts_offered" and place == ALL:
        yield (result.start[:19], "offered"), result.value


def _place(key: Mapping[str, Any]) -> str | None:
    """The queue, or all of them; None for a cut the day has no figures of."""
    if key == {"channel": "voice"}:
        return ALL
    return key["queue"] if set(key) == {"queue", "channel"} else None


def of_metrics(scrape: str) -> Figures:
    """The figures in the text of a scrape, taken while the worker has counted nothing else."""
    figures: dict[tuple[str, str], float] = {}
    for metric, labels, number in _SAMPLE.findall(scrape):
        told = dict(_LABEL.findall(labels))
        if metric in _COUNTED and "queue" in told:
            for place in (told["queue"], ALL):
                at = (place, _COUNTED[metric])
                figures[at] = figures.get(at, 0) + float(number)
        elif told.get("window") == "day":
            # The only day there is: closed once a tick of the present has come, open before.
            name = _SHOWN.get((metric, told.get("variant", "")))
            if name is not None:
                figures[told["queue"], name] = float(number)
    return figures


def differences(wanted: Figures, found: Figures) -> list[str]:
    """What is not as it must be, a sentence each; figures that nobody has told are 0."""
    return [
        f"{place}: {name} is {found.get((place, name), 0)}, must be {wanted.get((place, name), 0)}"
        for place, name in sorted(wanted.keys() | found.keys())
        if not _same(wanted.get((place, name), 0), found.get((place, name), 0))
    ]


def _same(wanted: float, found: float) -> bool:
    # Sums are equal to the last digit; a quotient may differ in the last bit of its division.
    return wanted == found or isclose(wanted, found, rel_tol=1e-12)
