"""The state machine of a target: tables, and laws over any values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.core.breach import Event, Sample, Standing, judged
from streams.core.kpi import Count, Kpi, Mean, Oldest, Ratio, Total, Value
from streams.core.target import BREACHED, MET, WARNING, Limits, Since, Target, has_volume, volume
from streams.core.terms import MINUTE_MS
from streams.core.window import Span

RATIO = Kpi("sl", "test", "", "ratio", Ratio(("in",), ("of",)), "cohort")
COUNT = Kpi("waiting", "test", "", "contacts", Count(("waiting",)), "now")


def target(limits: Limits, *later: Since, at_least: bool = True) -> Target:
    kpi = RATIO if at_least else COUNT
    return Target("t", kpi, "rolling_5m", at_least, (Since(0, limits), *later))


def sample(number: int, value: float | None, volume: int = 100) -> Sample:
    """The value of the five minutes that end at the minute ``number``."""
    end_ms = (number + 5) * MINUTE_MS
    span = Span("rolling_5m", end_ms - 5 * MINUTE_MS, end_ms)
    found = None if value is None else Value(value, value, volume)
    return Sample(span, found, end_ms, end_ms + 500, number)


def events_of(one: Target, values: Sequence[Any]) -> list[Event]:
    """``values``: a number, None, or (number, volume)."""
    standing, events = Standing(), []
    for number, value in enumerate(values):
        row = value if isinstance(value, tuple) else (value,)
        standing, event = judged(one, standing, sample(number, *row))
        if event is not None:
            events.append(event)
    return events


def told(one: Target, values: Sequence[Any]) -> str:
    """Each event as ``minute:what``, with the state where the word does not say it."""
    return " ".join(
        f"{e.sample.revision}:{e.what}" + ("" if e.what == e.state else f">{e.state}")
        for e in events_of(one, values)
    )


AT_LEAST = target(Limits(0.8, 0.85, 0.9, volume_min=10))
PATIENT = target(Limits(0.8, 0.8, breach_after=3, clear_after=2))
AT_MOST = target(Limits(10, 5), at_least=False)


@pytest.mark.parametrize(
    ("one", "values", "wanted"),
    [
        (AT_LEAST, [0.95, 0.9, 0.8], "2:warning"),
        (AT_LEAST, [0.9, 0.79], "1:breached"),
        (AT_LEAST, [0.85, 0.79, 0.9], "0:warning 1:breached 2:cleared>met"),
        # Hysteresis: the target itself does not end a breach; clear does, to what the value is.
        (AT_LEAST, [0.79, 0.8, 0.84, 0.79, 0.86], "0:breached 4:cleared>warning"),
        (AT_LEAST, [0.79, 0.86, 0.95], "0:breached 1:cleared>warning 2:cleared>met"),
        # Too few, and no value, change nothing, for the worse or the better.
        (AT_LEAST, [(0.1, 9), (0.1, 10)], "1:breached"),
        (AT_LEAST, [0.1, (1, 9), None, 0.95], "0:breached 3:cleared>met"),
        # In a row; what says nothing does not break the row.
        (PATIENT, [0.1, 0.1, 0.9, 0.1, 0.1, 0.1], "5:breached"),
        (PATIENT, [0.1, None, 0.1, 0.1], "3:breached"),
        (PATIENT, [0.1, 0.1, 0.1, 0.9, 0.1, 0.9, 0.8], "2:breached 6:cleared>met"),
        # At most, of a count: on the target is well.
        (AT_MOST, [10, 11, 10, 6, 5, 11], "1:breached 4:cleared>met 5:breached"),
    ],
)  # fmt: skip
def test_values_and_what_they_come_to(one: Target, values: Sequence[Any], wanted: str) -> None:
    assert told(one, values) == wanted


def test_an_event_says_since_when_and_what_was_before() -> None:
    first, second = events_of(AT_LEAST, [0.95, 0.5, 0.5, 0.95])
    assert (first.what, first.was, first.was_since_ms) == (BREACHED, MET, -1)
    assert (second.what, second.state, second.was) == ("cleared", MET, BREACHED)
    assert second.was_since_ms == first.sample.at_ms == 6 * MINUTE_MS


def test_limits_are_those_in_force_at_the_start_of_the_window() -> None:
    harder = Since(2 * MINUTE_MS, Limits(0.9, 0.9))
    one = target(Limits(0.5, 0.5), harder)
    found = events_of(one, [0.7, 0.7, 0.7])
    assert [(e.sample.revision, e.limits.value) for e in found] == [(2, 0.9)]


def test_a_level_is_judged_by_what_is_in_force_at_its_mark() -> None:
    one = target(Limits(5, 5), Since(1_000, Limits(20, 20)), at_least=False)
    level = Sample(Span("now", 0, 0), Value(10, 10), 2_000, 2_000, 1)
    assert judged(one, Standing(), level)[1] is None
    assert judged(one, Standing(), level._replace(as_of_ms=999))[1] is not None


@pytest.mark.parametrize(
    ("formula", "value", "wanted"),
    [
        (Ratio(("a",), ("b",)), Value(0.5, 4, 8), 8),
        (Mean(("a",), ("b",)), Value(0.5, 4, 8), 8),
        (Count(("a",)), Value(3, 3), 3),
        (Total(("a",)), Value(3, 3), 0),
        (Oldest("a"), Value(3), 0),
    ],
)
def test_the_volume_is_what_a_value_is_made_of(formula: Any, value: Value, wanted: int) -> None:
    kpi = RATIO._replace(formula=formula)
    assert volume(kpi, value) == wanted
    assert has_volume(kpi) == (wanted > 0)


# -- laws

numbers = st.one_of(st.none(), st.sampled_from((0.0, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)))
rows = st.lists(st.tuples(numbers, st.integers(0, 4)), max_size=40)
limits = st.builds(
    lambda value, clear, warning, *rest: Limits(value, value + clear, warning, *rest),
    st.sampled_from((0.4, 0.5)), st.sampled_from((0, 0.1, 0.3)),
    st.sampled_from((None, 0.5, 0.7)), st.integers(0, 3), st.integers(1, 3), st.integers(1, 3),
)  # fmt: skip


@given(limits, rows)
def test_events_are_what_a_look_back_over_all_values_gives(limits: Limits, values: Any) -> None:
    """The dumb way: keep all values that say something, and look at the last few each time."""
    one, state, kept, wanted = target(limits), MET, list[float](), []
    for number, (value, of) in enumerate(values):
        if value is None or of < limits.volume_min:
            continue
        kept.append(value)
        new = _looked_back(limits, state, kept)
        if new != state:
            worse = [MET, WARNING, BREACHED].index(new) > [MET, WARNING, BREACHED].index(state)
            wanted.append((number, new if worse else "cleared", new))
        state = new
    found = [(e.sample.revision, e.what, e.state) for e in events_of(one, values)]
    assert found == wanted


def _looked_back(limits: Limits, state: str, kept: Sequence[float]) -> str:
    def all_of(count: int, test: Any) -> bool:
        return len(kept) >= count and all(test(value) for value in kept[-count:])

    warning = limits.value if limits.warning is None else max(limits.warning, limits.value)
    worse, better = limits.breach_after, limits.clear_after
    if all_of(worse, lambda v: v < limits.value):
        return BREACHED
    if state == MET:
        return WARNING if all_of(worse, lambda v: v < warning) else MET
    if all_of(better, lambda v: v >= max(limits.clear, warning)):
        return MET
    cleared = all_of(better, lambda v: v >= limits.clear)
    return WARNING if state == BREACHED and cleared else state


@given(limits, rows, rows, st.integers(0, 40))
def test_what_says_nothing_can_be_put_in_anywhere(
    limits: Limits, values: Any, empty: Any, at: int
) -> None:
    limits = limits._replace(volume_min=5 - limits.clear_after)
    nothing = [(value, 0) for value, _ in empty]
    with_it = [*values[:at], *nothing, *values[at:]]
    one = target(limits)
    short = [(e.what, e.state) for e in events_of(one, values)]
    assert [(e.what, e.state) for e in events_of(one, with_it)] == short


@given(limits, st.lists(st.sampled_from((0.0, 0.45, 0.6, 1.0)), min_size=1, max_size=4))
def test_a_machine_to_which_nothing_new_happens_stays_as_it_is(limits: Limits, values: Any) -> None:
    """So it need not be stored."""
    one, standing = target(limits), Standing()
    for number, value in enumerate([*values, *[values[-1]] * 5]):
        before, (standing, _) = standing, judged(one, standing, sample(number, value))
    assert standing == before
