"""``kpi explain`` against the pipeline: every number of every scenario is explained to the last
contact, and what is shown of it can be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from streams.cli.explain import show, span_at
from streams.cli.parsing import UsageError
from streams.core.explaining import asked
from streams.core.kpi import Level, Oldest
from streams.core.source import Record
from streams.core.terms import QueueTerms, Terms
from streams.core.window import Span
from streams.explain import Answer, Replay, answered, span_of, stage_of
from streams.kpis import ALL_CUTS, ALL_KPIS, ALL_MEASURES
from streams.results import Result
from streams.stages.staff import StaffStage
from tests.builders import T0
from tests.pipeline import Pipeline
from tests.scenarios.language import Scenario
from tests.scenarios.test_scenarios import FILES

KPIS = {kpi.name: kpi for kpi in ALL_KPIS}
STREAMS = {"contacts": "contact-events", "staff": "agent-events", "customers": "records"}


class Recorded(Pipeline):
    """Keeps what each stage was given."""

    def __init__(self, terms: Terms | None = None) -> None:
        self.log: dict[str, list[Record]] = {}
        self.terms = terms or Terms()
        super().__init__("asterisk_queue_log", self.terms)
        for stream, stage in self._stages.items():
            stage.absorb = self._noting(stream, stage.absorb)  # type: ignore[method-assign]

    def _noting(self, stream: str, absorb: Any) -> Any:
        def noted(records: list[Record]) -> None:
            self.log.setdefault(stream, []).extend(records)
            absorb(records)

        return noted

    def found(self) -> list[Result]:
        return [Result(o.key or b"", o.value or b"") for o in self.outputs()]

    def explained(self, result: Result, segment_size: int = 1 << 20) -> Answer:
        name, cut, *values = json.loads(result._name)
        key = (cut, *values[: len(ALL_CUTS[cut].dimensions)])
        question = asked(KPIS[name], ALL_CUTS[cut], key, span_of(result), ALL_MEASURES)
        replay = Replay(question, self.terms, segment_size=segment_size, skew_ms=0)
        records = self.log.get(STREAMS[stage_of(question).name], [])
        replay.take(records[: len(records) // 2])
        replay.take(records[len(records) // 2 :])
        return answered(question, self.terms, replay, result, True)


def sums(results: list[Result]) -> Iterator[Result]:
    for result in results:
        if not isinstance(KPIS[result.kpi].formula, Level | Oldest):
            yield result


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_every_kpi_of_a_scenario_is_explained_to_the_last_contact(path: Path) -> None:
    scenario = Scenario(path)
    pipeline = Recorded(scenario.terms)
    scenario.run(pipeline)
    results = list(sums(pipeline.found()))
    # One window of each KPI, and of each kind in each family: all of them take minutes.
    chosen = {(KPIS[r.kpi].family, r.window): r for r in results} | {(r.kpi,): r for r in results}
    for result in chosen.values():
        answer = pipeline.explained(result)
        assert answer.agrees, (result.line, answer.value, answer.amounts)


def test_borders_of_segments_make_no_difference() -> None:
    """A stage that is sealed in the middle of contacts explains the same."""
    pipeline = Recorded()
    Scenario(next(path for path in FILES if path.stem == "service_level")).run(pipeline)
    chosen = ("service_level_pos", "abandonment_ratio")
    for result in [r for r in sums(pipeline.found()) if r.kpi in chosen and r.window == "day"]:
        assert pipeline.explained(result, segment_size=8).rows == pipeline.explained(result).rows


def test_staff_and_customers_have_stages_of_their_own() -> None:
    question = asked(
        KPIS["agent_state_time_idle"],
        ALL_CUTS["staff"],
        ("staff",),
        Span("day", 0, 1),
        ALL_MEASURES,
    )
    assert issubclass(stage_of(question), StaffStage)


# -- what is shown

LOG = (
    "10:00:00|a1|PS|NONE|ENTERQUEUE|||1",
    "10:00:25|a1|PS|Anna|CONNECT|25|x|1",
    "10:01:00|a2|PS|NONE|ENTERQUEUE|||1",
    "10:01:04|a2|PS|NONE|ABANDON|1|1|4",
    "10:02:00|a3|PS|NONE|ENTERQUEUE|||1",
    "10:02:30|a3|PS|NONE|EXITWITHTIMEOUT|1|1|30",
)
"""An answer too late, an abandonment, a time-out."""


@pytest.fixture
def answer() -> Answer:
    pipeline = Recorded()
    day_ms = T0 - 10 * 3_600_000
    for line in LOG:
        hours, minutes, seconds = (int(part) for part in line[:8].split(":"))
        at_ms = day_ms + (hours * 3600 + minutes * 60 + seconds) * 1000
        pipeline.lines([f"{at_ms / 1000:.3f}{line[8:]}".encode()])
    wanted = ("abandonment_ratio", "day", {"queue": "PS", "channel": "voice"})
    result = next(r for r in pipeline.found() if (r.kpi, r.window, r.key) == wanted)
    return pipeline.explained(result)


def options(**given: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"only": "", "limit": 100, "json": False, **given})


def test_an_abandoned_calls_list(answer: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    show(answer, Terms(), options(only="counted"))
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "abandonment_ratio  queue=PS channel=voice  day 2026-10-05"
    assert shown[3].startswith("the topic says   33.3%  1 / 3  provisional, revision ")
    assert shown[4] == "the events say   33.3%  1 / 3  3 visits: 2 against, 1 counted"
    assert shown[6].split() == [
        "contact", "entered", "over", "wait", "outcome", "counted", "why",
    ]  # fmt: skip
    assert " ".join(shown[7].split()) == (
        "a2 2026-10-05 10:01:00 2026-10-05 10:01:04 4 s abandoned +1 / +1 "
        "abandoned visits, at the time they began"
    )
    assert len(shown) == 8


def test_all_of_it_for_a_program(answer: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    show(answer, Terms(), options(json=True))
    told, *rows = map(json.loads, capsys.readouterr().out.splitlines())
    assert told["agrees"]
    assert (told["events"]["numerator"], told["topic"]["denominator"], told["rows"]) == (1, 3, 3)
    assert [(r["contact"], r["verdict"], r["why"]) for r in rows] == [
        ("a1", "against", ["did not leave unanswered"]),
        ("a2", "counted", ["abandoned visits, at the time they began"]),
        ("a3", "against", ["outcome is timeout, not abandoned"]),
    ]
    assert rows[0]["wait_seconds"] == 25
    assert "agent" not in rows[0]


def test_a_limit_says_how_many_are_left_out(
    answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    show(answer, Terms(), options(limit=1))
    assert capsys.readouterr().out.endswith("... and 2 more: --limit 0 shows all\n")


def test_a_difference_is_told(answer: Answer, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer.result is not None
    line = json.dumps({**answer.result.fields, "numerator": 2, "value": 0.5}).encode()
    other = answer._replace(result=Result(answer.result._name, line))
    assert answer.agrees
    assert not other.agrees
    show(other, Terms(), options())
    assert "They differ" in capsys.readouterr().out


def test_no_result_agrees_with_nothing_added_up(answer: Answer) -> None:
    assert answer._replace(result=None, value=None, amounts={}).agrees
    assert not answer._replace(result=None).agrees


# -- windows

BERLIN = Terms(QueueTerms(zone="Europe/Berlin"))
CUT = ALL_CUTS["queue"]
KEY = ("queue", "PS", "voice")


@pytest.mark.parametrize(
    ("moment", "kind", "start", "length_minutes"),
    [
        ("2026-10-05", "day", "2026-10-04T22:00:00Z", 1440),
        ("2026-10-25", "day", "2026-10-24T22:00:00Z", 1500),
        ("2026-10-05T10:07", "hour", "2026-10-05T08:00:00Z", 60),
        ("2026-10-05T10:07Z", "quarter_hour", "2026-10-05T10:00:00Z", 15),
        ("2026-10-25T02:30+01:00", "hour", "2026-10-25T01:00:00Z", 60),
    ],
)
def test_a_window_is_local_to_its_queue(
    moment: str, kind: str, start: str, length_minutes: int
) -> None:
    from streams.stages.board_wire import iso

    span = span_at(BERLIN, CUT, KEY, moment, kind)
    assert (span.kind, iso(span.start_ms)) == (kind, start)
    assert span.end_ms - span.start_ms == length_minutes * 60_000


@pytest.mark.parametrize(
    ("moment", "kind", "said"),
    [
        ("lastest", "day", "did you mean latest"),
        ("2026-13-01", "day", "is no window"),
        ("2026-10-05", "hour", "needs a time"),
        ("2026-10-05T10:00", "rolling_5m", "only the latest"),
    ],
)
def test_a_window_that_is_none(moment: str, kind: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        span_at(BERLIN, CUT, KEY, moment, kind)
