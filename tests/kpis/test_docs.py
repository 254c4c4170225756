"""docs/kpis.md says what the definitions say, and a definition can be asked for."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from streams.core.kpi import Average, Count, Distribution, Formula, Level, Mean, Quantile, Ratio
from streams.core.measure import QUEUE
from streams.core.result import FINAL, Result
from streams.core.terms import DAY_MS
from streams.core.window import Span
from streams.definitions import described, markdown, plain, told
from streams.definitions.markdown import AGENTS_SETTING, EXAMPLE, as_markdown, introduction
from streams.definitions.words import MEASURES, final_text, formula_text
from streams.kpis import ALL_KPIS, FAMILIES
from streams.kpis.speed import WAIT
from streams.settings.load import FIELDS
from streams.stages.board_wire import ResultWriter

DOCUMENT = Path(__file__).parents[2] / "docs" / "kpis.md"
KPIS = {kpi.name: kpi for kpi in ALL_KPIS}


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text() == markdown(), "run: python -m streams.definitions > docs/kpis.md"


def test_every_kpi_has_a_section_and_a_row() -> None:
    lines = markdown().splitlines()
    for kpi in ALL_KPIS:
        assert f"### {kpi.name}" in lines
        assert any(line.startswith(f"| [`{kpi.name}`](#{kpi.name}) |") for line in lines)


def test_the_cuts_that_name_agents_are_told_apart_by_a_setting_there_is() -> None:
    assert AGENTS_SETTING in {field.path for field in FIELDS}
    assert f"(`{AGENTS_SETTING}`), and are never series" in markdown()


def test_every_row_of_a_table_has_the_columns_of_its_heading() -> None:
    columns = 0
    for line in markdown().splitlines():
        if not line.startswith("|"):
            columns = 0
            continue
        found = len(re.findall(r"(?<!\\)\|", line))
        assert found == (columns or found), line
        columns = found


def test_the_result_shown_has_the_shape_of_results() -> None:
    span = Span("hour", 1_791_277_200_000, 1_791_280_800_000)
    kpi = KPIS["service_level_neg"]
    amounts = {"cohort_answered_in_threshold": 860, "cohort_answered": 1000, "cohort_abandoned": 60}
    assert isinstance(kpi.formula, Ratio)
    output = ResultWriter(0).output(
        Result(
            kpi,
            (QUEUE.name, "PS", "voice"),
            {"queue": "PS", "channel": "voice"},
            span,
            kpi.formula.compiled()(amounts, -1),
            FINAL,
            48_121,
            span.end_ms + 120_000,
        )
    )
    assert json.loads(output.value or b"") == EXAMPLE
    named = told(kpi)["key"].replace(" queue", ' "PS"').replace(" channel", ' "voice"')
    named = named.replace("quarter_hour", "hour").replace("start_ms", str(span.start_ms))
    assert json.loads(output.key or b"") == json.loads(named)
    assert told(kpi)["topic"] == "<prefix>." + plain(kpi)["topic"]
    assert output.stream == "kpi.service-level"


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (Count(("a",)), "a"),
        (Count(("a", "-b", "c")), "a + c - b"),
        (Ratio(("a", "b"), ("c",)), "(a + b) / c"),
        (Mean(("a",), ("b", "-c")), "a / (b - c)"),
        (Average(("a", "-b"), ("c",), times=100), "100 * (a - b) / c"),
        (Average(("a",), ("c",), divisor=10), "a / c / 10"),
        (Distribution(WAIT), "cohort_answer_wait:0: how many in each bucket"),
        (Quantile(WAIT, 0.9), "cohort_answer_wait:0: the bucket up to which 90 % lie"),
        (Level("waiting"), "waiting now, added up over all origins"),
    ],
)
def test_a_formula_in_words(formula: Formula, text: str) -> None:
    assert formula_text(formula, str) == text


def test_a_formula_reads_as_its_measures_help() -> None:
    assert told(KPIS["service_level_neg"])["formula"] == (
        "[visits answered within T] / ([answered visits] + [abandoned visits])"
    )
    for kpi in ALL_KPIS:
        for name in kpi.formula.reads() & MEASURES.keys():
            assert name.partition(":")[0] in described(kpi)


def test_what_a_kpi_leaves_out_and_when_it_is_final_is_told() -> None:
    kpi = KPIS["service_level_pos"]._replace(excludes="Test calls.", matures_ms=7 * DAY_MS)
    assert told(kpi)["excludes"] == "Test calls."
    assert final_text(kpi) == "7 days and the grace after the window's end"
    assert "excludes" not in told(KPIS["service_level_pos"])
    assert final_text(KPIS["contacts_waiting"]).startswith("never")


def test_a_docstring_becomes_markdown() -> None:
    text = "A ``b``.\n\n=====  ===\nname   of\n=====  ===\n``x``  1\ny      2 | 3\n=====  ===\n"
    table = "| name | of |\n|---|---|\n| `x` | 1 |\n| y | 2 &#124; 3 |\n"
    assert as_markdown(text) == f"A `b`.\n\n{table}"
    for family in FAMILIES:
        assert "``" not in introduction(family)
        assert "==" not in introduction(family)
