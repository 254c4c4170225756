"""``contact-streams kpi profile``, without a broker."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streams.cli import kpi, profile
from streams.cli.parsing import UsageError
from streams.core.kpi import Quantile, Value
from streams.core.result import FINAL
from streams.core.result import Result as Said
from streams.core.terms import Dated, QueueTerms, Terms
from streams.core.window import spans_at
from streams.kpis import ALL_KPIS
from streams.results import Latest, Result
from streams.settings.queues import instant
from streams.stages.board_wire import ResultWriter

BERLIN = "Europe/Berlin"
TERMS = Terms(queues={"PS": [Dated(0, QueueTerms(zone=BERLIN))]})


class Rec:
    """A result as the board writes it."""

    def __init__(self, name: str, start: str, value: Value, **key: str) -> None:
        definition = next(each for each in ALL_KPIS if each.name == name)
        cut = next(cut for cut in definition.cuts if set(cut.dimensions) == set(key))
        zone = BERLIN if "queue" in key else "UTC"
        span = spans_at(zone, instant(start, zone))[1]
        cut_key = (cut.name, *key.values())
        output = ResultWriter(0).output(Said(definition, cut_key, key, span, value, FINAL, 1, None))
        self.key, self.value = output.key, output.value


def hours(*records: Rec) -> list[Result]:
    latest = Latest()
    latest.take(records)
    return latest.results()


def wanted(*words: str, until: str = "2026-10-05T06:30Z") -> profile.Wanted:
    options: Any = kpi._parser().parse_args(["profile", *words, "--until", until])
    return profile.wanted_of(options)


def rows(found: list[profile.Table]) -> dict[tuple[str, int], dict[str, Any]]:
    return {(r["weekday"], r["hour"]): dict(r) for table in found for r in profile.rows(table)}


OFFERED = hours(
    Rec("contacts_offered", "2026-09-14T06:00Z", Value(1, 1), queue="NW", channel="voice"),
    Rec("contacts_offered", "2026-09-21T06:00Z", Value(3, 3), queue="PS", channel="voice"),
    Rec("contacts_offered", "2026-09-28T06:00Z", Value(2, 2), queue="PS", channel="voice"),
    Rec("contacts_offered", "2026-10-05T06:00Z", Value(9, 9), queue="PS", channel="voice"),
    Rec("contacts_offered", "2026-09-28T06:00Z", Value(5, 5), channel="voice"),
)


def test_hours_are_those_of_the_queues_clock_and_the_running_one_is_left_out() -> None:
    asked = wanted("contacts_offered", "--queue", "PS")
    found = list(profile.tables(asked, OFFERED, TERMS, profile.begun_ms(OFFERED)))
    row = rows(found)["Mon", 8]
    # Counted since the first result there is, of whatever queue: three Mondays.
    assert (row["value"], row["n"], row["numerator"], row["denominator"]) == (5 / 3, 3, 5, None)
    assert row["from"] == "2026-09-14T08:00+02:00"
    assert row["to"] == "2026-10-05T08:00+02:00"
    assert row["key"] == {"queue": "PS", "channel": "voice"}
    assert rows(found)["Tue", 8]["value"] == 0


def test_without_a_queue_it_is_the_channel_in_all() -> None:
    found = list(profile.tables(wanted("contacts_offered"), OFFERED, TERMS))
    assert [table.key for table in found] == [{"channel": "voice"}]
    assert rows(found)["Mon", 6]["value"] == 5 / 4
    assert not list(profile.tables(wanted("contacts_offered", "--channel", "chat"), OFFERED, TERMS))


def test_a_ratio_is_pooled_and_the_table_can_be_read() -> None:
    ratios = [("2026-09-21T06:00Z", Value(1.0, 1, 1)), ("2026-09-28T06:00Z", Value(0, 0, 3))]
    key = {"queue": "PS", "channel": "voice"}
    results = hours(*(Rec("abandonment_ratio", start, value, **key) for start, value in ratios))
    (table,) = profile.tables(wanted("abandonment_ratio", "--queue", "PS"), results, TERMS)
    lines = profile.shown(table).splitlines()
    assert lines[0].startswith("abandonment_ratio queue=PS channel=voice, 2026-09-07 08:00 to")
    assert lines[1].split() == ["hour", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    assert lines[10].split() == ["08:00", "25.0%", "(2)", *"------"]
    assert len(lines) == 26


def test_counting_began_with_the_first_result_of_the_family() -> None:
    assert profile.begun_ms([]) == 0
    assert profile.begun_ms(reversed(OFFERED)) == instant("2026-09-14T06:00Z", "UTC")


def test_seconds_keep_their_milliseconds() -> None:
    key = {"queue": "PS", "channel": "voice"}
    mean = Rec("answer_speed_mean", "2026-09-28T06:00Z", Value(0.617, 1.234, 2), **key)
    asked = wanted("answer_speed_mean", "--queue", "PS", "--weeks", "1")
    row = rows(list(profile.tables(asked, hours(mean), TERMS)))["Mon", 8]
    assert (row["value"], row["numerator"], row["denominator"]) == (0.617, 1.234, 2)
    assert json.dumps(row)


def test_what_no_dimension_tells_apart_is_one_table() -> None:
    total = next(k for k in ALL_KPIS if () in [c.dimensions for c in k.cuts])
    found = profile.tables(
        wanted(total.name), hours(Rec(total.name, "2026-09-28T06:00Z", Value(1, 1, 2))), TERMS
    )
    assert [profile.shown(t).split(",")[0] for t in found] == [total.name]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("abandonment_rato",), "did you mean abandonment_ratio"),
        (("contacts_waiting",), "no results of hours"),
        (("answer_wait_p90",), "is a quantile"),
        (("contacts_offered", "--weeks", "0"), "--weeks 0: 1 to 53"),
        (("contacts_offered", "--weeks", "54"), "--weeks 54"),
        (("occupancy_logged_in", "--queue", "PS"), "not kept by queue"),
    ],
)
def test_what_cannot_be_asked(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        wanted(*words)
    with pytest.raises(UsageError, match="--until yesterday: neither a time"):
        wanted("contacts_offered", until="yesterday")


def test_every_kpi_of_hours_but_quantiles_has_a_profile_by_its_first_cut() -> None:
    refused = []
    for definition in ALL_KPIS:
        queue = (
            () if any("queue" not in c.dimensions for c in definition.cuts) else ("--queue", "q")
        )
        try:
            assert wanted(definition.name, *queue).cut in definition.cuts
        except UsageError:
            refused.append(definition)
    assert all("hour" not in k.windows or isinstance(k.formula, Quantile) for k in refused)


def test_nothing_found_says_which_queue_may_be_meant() -> None:
    asked = wanted("contacts_offered", "--queue", "PSS")
    assert "did you mean PS?" in profile._nothing(asked, OFFERED)
    assert "did you mean" not in profile._nothing(wanted("contacts_offered"), OFFERED)
