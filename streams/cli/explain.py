"""``contact-streams kpi explain``: the contacts behind a number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from streams.cli.choosing import check_kpi
from streams.cli.parsing import Actions, UsageError, add_json, did_you_mean
from streams.cli.tables import text_table, written
from streams.cli.terminal import Talk

if TYPE_CHECKING:
    from streams.core.explaining import Asked, Row
    from streams.core.kpi import Kpi
    from streams.core.measure import Cut, CutKey
    from streams.core.terms import Terms
    from streams.core.window import Span
    from streams.explain import Answer
    from streams.results import Result
    from streams.settings import Settings

SUMMARY = "the contacts behind a number: what counted, what did not and why"
EXAMPLES = (
    "contact-streams kpi explain contacts_abandoned queue=sales 2026-10-05 --only counted",
    "contact-streams kpi explain service_level_pos --queue sales 2026-10-05T10:00 --window hour",
    "contact-streams kpi explain abandonment_ratio channel=voice latest --window day --json",
)
LIMIT = 100
KINDS = ("day", "hour", "quarter_hour", "rolling_60m", "rolling_30m", "rolling_5m")
_TIMED = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}.*")
_HEADINGS = ("entered", "over", "wait", "outcome")
_BEGAN = ("entered_ms", "from_ms", "at_ms")
_OVER = ("answered_ms", "left_ms", "ended_ms", "until_ms")
_HOW = ("outcome", "ended_by", "reason")


def add_explain(actions: Actions) -> None:
    """The action's parser."""
    parser = actions.add("explain", SUMMARY, EXAMPLES)
    parser.add_argument("kpi", metavar="KPI")
    parser.add_argument(
        "place", nargs="+", metavar="[KEY] WINDOW",
        help="KEY: queue=sales,channel=voice. WINDOW: the one that contains a local date or "
        "time, 2026-10-05 or 2026-10-05T10:00, or latest",
    )  # fmt: skip
    parser.add_argument("--queue", default="", help="instead of queue= in KEY")
    parser.add_argument("--channel", default="", help="instead of channel= in KEY; else voice")
    parser.add_argument("--window", default="", choices=KINDS, help="how long the window is")
    parser.add_argument(
        "--only", default="", choices=("counted", "against", "out"),
        help="in the numerator, below the line only, or in neither",
    )  # fmt: skip
    parser.add_argument(
        "--limit", type=int, default=LIMIT, metavar="N", help=f"rows shown; 0: all; else {LIMIT}"
    )
    add_json(parser)


def main(options: Any) -> int:
    """Run the action; 1 if the events and the topic do not say the same."""
    check_kpi(options.kpi)
    *keys, moment = options.place
    if len(keys) > 1:
        raise UsageError(f"{keys[1]}: one KEY, please, and one WINDOW", "", EXAMPLES[0])
    kpi = _kpi(options.kpi)
    cut, key = cut_key(kpi, said(keys, options))
    from streams.settings import load

    settings = load()
    talk = Talk()
    try:
        answer = _answer(settings, kpi, cut, key, moment, options.window, talk)
    finally:
        talk.settle()
    show(answer, settings.terms(), options)
    return 0 if answer.agrees else 1


def _answer(
    settings: Settings, kpi: Kpi, cut: Cut, key: CutKey, moment: str, kind: str, talk: Talk
) -> Answer:
    from streams.core.explaining import asked
    from streams.core.window import NOW_SPAN
    from streams.explain import explain
    from streams.kpis import ALL_MEASURES

    question = asked(kpi, cut, key, NOW_SPAN, ALL_MEASURES)
    _check_agents(question, settings.terms())
    span, result = _window(settings, kpi, cut, key, moment, kind)
    question = question._replace(span=span)
    return explain(settings, question, result, lambda count: talk.passing(f"{count:,} events read"))


# -- what is asked for


def _kpi(name: str) -> Kpi:
    from streams.core.kpi import Level, Oldest
    from streams.kpis import ALL_KPIS

    kpi = next(kpi for kpi in ALL_KPIS if kpi.name == name)
    if isinstance(kpi.formula, Level | Oldest):
        raise UsageError(
            f"{name} is a state now, not a sum over contacts",
            "what is waiting now is gone from it a moment later",
            f"contact-streams kpi watch {name}",
        )
    return kpi


def said(keys: list[str], options: Any) -> dict[str, str]:
    """The dimensions somebody has named, in KEY or by an option."""
    found = {name: getattr(options, name) for name in ("queue", "channel")}
    for part in ",".join(keys).split(",") if keys else ():
        name, equals, value = part.partition("=")
        if not equals:
            raise UsageError(f"{part}: a KEY looks like queue=sales,channel=voice")
        found[name.strip()] = value.strip()
    return {name: value for name, value in found.items() if value}


def cut_key(kpi: Kpi, values: Mapping[str, str]) -> tuple[Cut, CutKey]:
    """The KPI's cut by exactly these dimensions; the channel is voice unless it is named."""
    known = sorted({name for cut in kpi.cuts for name in cut.dimensions})
    for name in values:
        if name not in known:
            raise UsageError(
                f"{kpi.name} is not kept by {name}{did_you_mean(name, known)}", _cuts(kpi)
            )
    for given in (values, {**values, "channel": "voice"}):
        for cut in kpi.cuts:
            if set(cut.dimensions) == set(given):
                return cut, (cut.name, *(given[name] for name in cut.dimensions))
    raise UsageError(f"{kpi.name} has no cut by {', '.join(values) or 'nothing'}", _cuts(kpi))


def _cuts(kpi: Kpi) -> str:
    return "it is kept by " + "; or by ".join(
        ",".join(f"{name}=..." for name in cut.dimensions) or "nothing" for cut in kpi.cuts
    )


def _check_agents(question: Asked, terms: Terms) -> None:
    from streams.explain import about

    kpi, personal = question.kpi, "agent" in (about(question), *question.cut.dimensions)
    if personal and not terms.agents_named:
        raise UsageError(
            f"{kpi.name} is about agents, and what one of them did is nobody's business here",
            "lists of agents are shown only with [output] agents = true",
        )


def _window(
    settings: Settings, kpi: Kpi, cut: Cut, key: CutKey, moment: str, kind: str
) -> tuple[Span, Result | None]:
    """The window asked for, and what the topic says of it."""
    from streams.deployment import Deployment
    from streams.explain import find_result, latest_result, span_of

    deployment = Deployment.of(settings)
    kind = kind or ("hour" if _TIMED.fullmatch(moment) else "day")
    if kind not in kpi.windows:
        raise UsageError(f"{kpi.name} has no window {kind}; it has {', '.join(kpi.windows)}")
    if moment == "latest":
        result = latest_result(deployment, kpi, key, kind)
        if result is None:
            raise UsageError(
                f"there is no result of {kpi.name} for {' '.join(key[1:])}",
                "",
                "contact-streams kpi get",
            )
        return span_of(result), result
    span = span_at(settings.terms(), cut, key, moment, kind)
    return span, find_result(deployment, kpi, key, span)


def span_at(terms: Terms, cut: Cut, key: CutKey, moment: str, kind: str) -> Span:
    """The window of this kind that contains a date's noon or a time, local to the key's queue."""
    from streams.core.terms import MINUTE_MS
    from streams.core.window import Windows

    local = _moment(moment, kind)
    windows = Windows(terms, (cut,))
    if local.tzinfo is None:
        guess_ms = round(local.replace(tzinfo=UTC).timestamp() * 1000)
        local = local.replace(tzinfo=ZoneInfo(windows.zone(key, guess_ms)))
    minute = round(local.timestamp() * 1000) // MINUTE_MS
    spans = {span.kind: span for span in windows.of(key, minute)}
    if kind not in spans:
        raise UsageError(
            f"--window {kind}: of rolling windows only the latest is kept", "", "latest"
        )
    return spans[kind]


def _moment(text: str, kind: str) -> datetime:
    try:
        if _TIMED.fullmatch(text):
            return datetime.fromisoformat(text)
        day = date.fromisoformat(text)
    except ValueError:
        hint = did_you_mean(text, ["latest"])
        raise UsageError(
            f"{text} is no window{hint}", "a window is 2026-10-05, 2026-10-05T10:00 or latest"
        ) from None
    if kind != "day":
        raise UsageError(f"{text} is a day; a window {kind} needs a time", "", f"{text}T10:00")
    return datetime.combine(day, time(12))


# -- what is shown


def show(answer: Answer, terms: Terms, options: Any) -> None:
    """The summary and the rows, as the options say."""
    import json

    rows = sorted(
        (row for row in answer.rows if options.only in ("", row.verdict)),
        key=lambda row: (facts_of(row).get("entered_ms", 0), row.who),
    )
    shown = rows[: options.limit] if options.limit > 0 else rows
    zone = ZoneInfo(answer.question.span.zone)
    if options.json:
        print(json.dumps(summary(answer, len(rows)), ensure_ascii=False))
        for row in shown:
            print(json.dumps(told(row, answer.question, zone, terms), ensure_ascii=False))
        return
    print("\n".join(heading(answer)))
    if shown:
        print()
        print(table(shown, answer.question, zone, terms), end="")
    if len(shown) < len(rows):
        print(f"... and {len(rows) - len(shown):,} more: --limit 0 shows all")


def heading(answer: Answer) -> Iterator[str]:
    """What the topic says, what the events say, and why they may differ."""
    question, result, value = answer.question, answer.result, answer.value
    key = " ".join(
        f"{n}={v}" for n, v in zip(question.cut.dimensions, question.key[1:], strict=True)
    )
    yield f"{question.kpi.name}  {key}  {question.span.kind} {_starts(question.span)}"
    yield question.kpi.help
    yield ""
    unit = question.kpi.unit
    if result is None:
        yield "the topic says   nothing: there is no such result"
    else:
        of = result.fields
        made = _made_of(of["numerator"], of["denominator"])
        word = f"{of['status']}, revision {of['revision']}"
        yield f"the topic says   {written(of['value'], unit)}{made}  {word}"
    if value is None:
        yield "the events say   nothing: there is nothing below the line"
    else:
        made = _made_of(value.numerator, value.denominator)
        yield f"the events say   {written(value.value, unit)}{made}  {_verdicts(answer)}"
    if not answer.agrees:
        yield from _why_not(answer)


def _made_of(numerator: Any, denominator: Any) -> str:
    return "" if denominator is None else f"  {numerator:,} / {denominator:,}"


def _verdicts(answer: Answer) -> str:
    verdicts = [row.verdict for row in answer.rows]
    told = ", ".join(f"{verdicts.count(v):,} {v}" for v in dict.fromkeys(sorted(verdicts)))
    return f"{len(verdicts):,} visits: {told}" if verdicts else "no visits"


def _why_not(answer: Answer) -> Iterator[str]:
    yield ""
    yield "They differ.  That can be because"
    yield "- events have come, or are still being added up: ask again in a moment;"
    yield "- the topic of events has lost the oldest of them (retention), or keeps those that"
    yield "  were refused or came after the sums were dropped (processing.keep_days);"
    yield "- settings (thresholds, silence, zones) were changed without a date since."


def _starts(span: Span) -> str:
    local = datetime.fromtimestamp(span.start_ms / 1000, ZoneInfo(span.zone))
    return f"{local:%Y-%m-%d}" if span.kind == "day" else f"{local:%Y-%m-%d %H:%M} {span.zone}"


def table(rows: list[Row], question: Asked, zone: ZoneInfo, terms: Terms) -> str:
    """A line for each visit."""
    from streams.explain import about

    who = about(question)
    named = terms.agents_named and any("agent" in facts_of(row) for row in rows)
    headings = [who, *_HEADINGS, *(["agent"] if named else []), "counted", "why"]
    lines = []
    for row in rows:
        of = told(row, question, zone, terms)
        wait = of["wait_seconds"]
        cells = [
            of[who], _short(of["entered"]), _short(of["over"]),
            "-" if wait is None else f"{wait:g} s", of["outcome"],
        ]  # fmt: skip
        cells += [str(of.get("agent") or "-")] if named else []
        lines.append([*cells, _counted(of), "; ".join(of["why"])])
    return text_table(headings, lines, left=len(headings))


def _short(time: str | None) -> str:
    return time[:19].replace("T", " ") if time else "-"


def _counted(of: Mapping[str, Any]) -> str:
    if of["denominator"] is None:
        return f"{of['numerator']:+g}"
    return f"{of['numerator']:+g} / {of['denominator']:+g}"


def told(row: Row, question: Asked, zone: ZoneInfo, terms: Terms) -> dict[str, Any]:
    """A row for a program; times are ISO 8601 in the window's zone."""
    from streams.core.explaining import in_seconds, parts
    from streams.explain import about

    facts = facts_of(row)
    wait_ms = facts.get("wait_ms")
    below = parts(question.kpi.formula)[1]
    found = {
        about(question): row.who,
        "entered": _iso(_first(facts, _BEGAN), zone),
        "over": _iso(_first(facts, _OVER), zone),
        "wait_seconds": None if wait_ms is None else wait_ms / 1000,
        "outcome": "answered" if "answered_ms" in facts else _first(facts, _HOW) or "-",
        "verdict": row.verdict,
        "numerator": in_seconds(question.kpi.formula, row.numerator),
        "denominator": row.denominator if below else None,
        "why": list(row.why),
        "amounts": row.amounts,
    }
    return found | ({"agent": facts.get("agent")} if terms.agents_named else {})


def _first(facts: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((facts[name] for name in names if name in facts), None)


def facts_of(row: Row) -> dict[str, Any]:
    """What the facts of a visit say, field by field; a later fact says it better."""
    found: dict[str, Any] = {}
    for _, fact in row.facts:
        found |= {
            name: value for name, value in zip(fact._fields, fact, strict=True) if value is not None
        }
    return found


def _iso(time_ms: int | None, zone: ZoneInfo) -> str | None:
    return None if time_ms is None else datetime.fromtimestamp(time_ms / 1000, zone).isoformat()


def summary(answer: Answer, rows: int) -> dict[str, Any]:
    """Both numbers for a program; ``rows`` are those that the options leave."""
    question, value = answer.question, answer.value
    span = question.span
    zone = ZoneInfo(span.zone)
    return {
        "kpi": question.kpi.name,
        "key": dict(zip(question.cut.dimensions, question.key[1:], strict=True)),
        "window": {
            "kind": span.kind, "start": _iso(span.start_ms, zone), "end": _iso(span.end_ms, zone),
            "zone": span.zone,
        },
        "topic": answer.result and {
            name: answer.result.fields[name]
            for name in ("value", "numerator", "denominator", "status", "revision")
        },
        "events": value and {
            "value": value.value, "numerator": value.numerator, "denominator": value.denominator,
        },
        "agrees": answer.agrees,
        "events_read": answer.records,
        "rows": rows,
    }  # fmt: skip
