"""The staff stage: what goes on accrues by the minute, and schedules count whenever they come."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import msgspec
import pytest

from streams.core import events as ev
from streams.core.agent import SETTLE_MS
from streams.core.kpi import Level, Oldest
from streams.core.measure import Amounts, CutKey
from streams.core.posting import generate_post
from streams.core.schedule import AHEAD_MS_MAX
from streams.core.source import Record
from streams.core.terms import DAY_MS, Terms
from streams.kpis import ALL_KPIS, ALL_MEASURES
from streams.stages import staff
from streams.stages.staff import StaffStage
from tests.builders import T0_MINUTE, Cells, agent_event, log_of, ms, record, tick, total
from tests.simulation.driver import added_up, live

SIZE = 4
STAFF: CutKey = ("staff",)
KPIS = {kpi.name: kpi for kpi in ALL_KPIS}
HOUR = 3_600
SETTLE = SETTLE_MS // 1000


TERMS = {named: Terms(agents_named=named) for named in (False, True)}
POSTS = {named: generate_post(ALL_MEASURES, terms) for named, terms in TERMS.items()}


def stage(*, named: bool = False) -> StaffStage:
    return StaffStage(
        0, terms=TERMS[named], post=POSTS[named], segment_size=SIZE, board_partitions=1
    )


def cells_of(log: Sequence[Record], *, named: bool = False) -> Cells:
    return added_up(live(stage(named=named), SIZE, log, batches=(1,), publish=(True,)).outputs)


def means(events: Sequence[msgspec.Struct], **fields: Any) -> Cells:
    return cells_of(log_of(events), **fields)


def value(cells: Cells, name: str, cut: CutKey = STAFF) -> Any:
    formula = KPIS[name].formula
    assert not isinstance(formula, Level | Oldest)
    found = formula.compiled()(total(cells, cut), -1)
    return None if found is None else found.value


def planned(
    start: float, end: float, activity: str = "productive", *, at: float = -HOUR, **fields: Any
) -> ev.AgentScheduled:
    span = {"start": ms(start), "end": ms(end), "activity": activity}
    event: ev.AgentScheduled = agent_event(ev.AgentScheduled, at, **span, **fields)
    return event


# -- what goes on


def test_a_state_that_goes_on_is_known_up_to_the_last_full_minute() -> None:
    ready = agent_event(ev.LoggedIn, 30)
    for at, seconds in ((59, 0), (60, 30), (119, 30), (2 * HOUR, 2 * HOUR - 30)):
        assert value(means([ready, tick(at)]), "agent_state_time_idle") == seconds


def test_each_minute_holds_its_own_time() -> None:
    cells = means([agent_event(ev.LoggedIn, 30), tick(61), tick(150)])
    found = {minute - T0_MINUTE: cell["agent_state_ms_idle"] for (_, minute), cell in cells.items()}
    assert found == {0: 30_000, 1: 60_000}


def test_an_end_that_is_heard_of_late_takes_back_what_was_too_much() -> None:
    events = [agent_event(ev.LoggedIn, 0), tick(600), agent_event(ev.NotReady, 90), tick(601)]
    cells = means(events)
    assert value(cells, "agent_state_time_idle") == 90
    assert value(cells, "agent_state_time_not_ready") == 600 - 90
    assert ("staff",) in {cut for cut, _ in cells}


def test_an_agent_who_is_never_heard_of_again_had_gone_then() -> None:
    """The figures of the day were too high meanwhile, as nobody could know."""
    start = [agent_event(ev.LoggedIn, 0), agent_event(ev.AgentTalking, 60, contact="c1"), tick(600)]
    assert value(means(start), "agent_state_time_talking") == 540
    gone = means([*start, tick(61 + DAY_MS // 1000)])
    assert value(gone, "agent_state_time_talking") == 0.001
    assert value(gone, "agent_state_time_idle") == 60


def test_a_schedule_does_not_show_that_an_agent_lives() -> None:
    day = DAY_MS // 1000
    events = [agent_event(ev.LoggedIn, 0), planned(day, day + HOUR, at=day - 10), tick(day + 60)]
    assert value(means(events), "agent_state_time_idle") == 0.001


# -- adherence

WORKED = [
    agent_event(ev.LoggedIn, 600),
    agent_event(ev.AgentTalking, 1_200, contact="c1"),
    agent_event(ev.AgentContactEnded, 1_500, contact="c1"),
    agent_event(ev.NotReady, 1_700, reason="coffee"),
    agent_event(ev.Ready, 2_100),
    agent_event(ev.LoggedOut, 3_000),
]
"""Ten minutes late, pause from 1,700 to 2,100, ten minutes early away."""
PLANNED = [planned(0, 3_600), planned(1_800, 2_100, "break", at=-10)]


def test_adherence_of_a_shift() -> None:
    cells = means([*PLANNED, *WORKED, tick(2 * HOUR)])
    adherent = (1_700 - 600) + (2_100 - 1_800) + (3_000 - 2_100)
    assert value(cells, "scheduled_time") == 3_600
    assert value(cells, "adherent_time") == adherent
    assert value(cells, "non_adherent_time") == 3_600 - adherent
    assert value(cells, "adherence") == adherent / 3_600
    worked = (1_700 - 600) + (3_000 - 2_100)
    assert value(cells, "conformance") == worked / (3_600 - 300)
    assert value(cells, "utilization_scheduled") == worked / 3_600


def test_a_schedule_may_come_at_any_time_and_again() -> None:
    """Before the shift, during it or after it; heard of in any order."""
    expected = means([*PLANNED, *WORKED, tick(2 * HOUR)])
    ahead = [PLANNED[1], WORKED[0], WORKED[4], PLANNED[0], WORKED[5]]
    others = [event for event in WORKED if event not in ahead]
    for order in permutations(ahead):
        told = [*order[:3], tick(2_400), *order[3:], *others, tick(2 * HOUR), PLANNED[0]]
        log = [record(event, offset, at_ms=ms(3_000)) for offset, event in enumerate(told)]
        assert cells_of(log) == expected


def test_who_never_shows_up_is_not_adherent() -> None:
    cells = means([planned(0, HOUR), planned(HOUR, 2 * HOUR, "break"), tick(1_800)])
    assert (value(cells, "scheduled_time"), value(cells, "adherence")) == (1_800, 0)
    cells = means([planned(0, HOUR), planned(HOUR, 2 * HOUR, "break"), tick(8 * HOUR)])
    assert (value(cells, "scheduled_time"), value(cells, "adherence")) == (2 * HOUR, 0.5)
    assert value(cells, "agent_state_time_idle") == 0


def test_what_is_planned_and_not_there_yet_is_in_no_denominator() -> None:
    assert value(means([planned(0, HOUR), tick(-60)]), "adherence") is None


def test_planned_absence_is_kept_by_being_away_and_is_not_paid() -> None:
    cells = means([planned(0, HOUR, "absent"), tick(2 * HOUR)])
    assert value(cells, "adherence") == 1
    assert value(cells, "utilization_scheduled") is None


def test_a_schedule_for_what_is_settled_counts_from_there_on_and_is_counted_as_late() -> None:
    late_s = SETTLE + HOUR
    told = [
        agent_event(ev.LoggedIn, 0), agent_event(ev.NotReady, 100), tick(late_s), tick(late_s),
        planned(0, late_s, at=late_s),
    ]  # fmt: skip
    made = stage()
    cells = added_up(live(made, SIZE, log_of(told)).outputs)
    assert made.counts["late.schedule"] == 1
    assert value(cells, "scheduled_time") == late_s - 100


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (planned(10, 10), "agent.schedule_span"),
        (planned(10, 9), "agent.schedule_span"),
        (planned(0, AHEAD_MS_MAX // 1000 + 1, at=0), "agent.schedule_span"),
        (planned(60, 70), "agent.shifts_max"),
    ],
)
def test_a_schedule_that_cannot_be_is_set_aside(
    monkeypatch: pytest.MonkeyPatch, event: ev.AgentScheduled, reason: str
) -> None:
    monkeypatch.setattr(staff, "SHIFTS_MAX", 1)
    outputs = live(stage(), SIZE, log_of([planned(0, 50), event])).outputs
    letters = [dict(o.headers)["cc_dlq_reason"] for o in outputs if o.stream == "dlq"]
    assert letters == [reason.encode()]


# -- agents by name, reasons, channels


def test_agents_are_named_only_where_the_deployment_wants_it() -> None:
    events = [
        agent_event(ev.NotReady, 0, reason="lunch"),
        agent_event(ev.NotReady, 60, agent="Bob"),
        tick(180),
    ]
    found = {cut: total(means(events, named=True), cut) for cut in (
        STAFF, ("agent", "Ann"), ("agent", "Bob"), ("not_ready", "lunch"),
        ("not_ready", "unspecified"), ("agent_not_ready", "Ann", "lunch"),
    )}  # fmt: skip
    seconds = [amounts["agent_state_ms_not_ready"] // 1000 for amounts in found.values()]
    assert seconds == [300, 180, 120, 180, 120, 180]
    assert {cut[0] for cut, _ in means(events)} == {"staff", "not_ready"}


def test_three_chats_at_once() -> None:
    """One for a minute, three for a minute, and a call beside the last of them for a minute."""
    chat: dict[str, Any] = {"channel": "chat"}
    events = [
        agent_event(ev.AgentTalking, 0, contact="c1", **chat),
        agent_event(ev.AgentTalking, 60, contact="c2", **chat),
        agent_event(ev.AgentTalking, 60, contact="c3", **chat),
        agent_event(ev.AgentContactEnded, 120, contact="c2", **chat),
        agent_event(ev.AgentContactEnded, 120, contact="c3", **chat),
        agent_event(ev.AgentTalking, 120, contact="c4"),
        agent_event(ev.AgentContactEnded, 180, contact="c1", **chat),
        agent_event(ev.AgentContactEnded, 240, contact="c4"),
        agent_event(ev.LoggedOut, 300),
    ]
    cells = means(events, named=True)
    assert value(cells, "contact_concurrency_mean") == (1 + 3 + 2 + 1) / 4
    for cut in (("staff_channel", "chat"), ("agent_channel", "Ann", "chat")):
        assert value(cells, "channel_concurrency_mean", cut) == (1 + 3 + 1) / 3
    assert total(cells, ("staff_channel", "voice")) == {}
    assert value(cells, "occupancy_ring_excluded") == 240 / 300


def test_occupancy_variants_differ_by_what_is_below_the_line() -> None:
    events = [
        agent_event(ev.LoggedIn, 0),
        agent_event(ev.AgentOffered, 100, contact="c1"),
        agent_event(ev.AgentTalking, 110, contact="c1"),
        agent_event(ev.AgentHolding, 200, contact="c1"),
        agent_event(ev.AgentWrapUp, 210, contact="c1"),
        agent_event(ev.AgentContactEnded, 260, contact="c1"),
        agent_event(ev.NotReady, 260),
        agent_event(ev.LoggedOut, 400),
    ]
    cells = means(events)
    assert value(cells, "occupancy_ring_excluded") == 150 / 250
    assert value(cells, "occupancy_logged_in") == 150 / 400
    assert value(cells, "utilization_logged_in") == 250 / 400


def test_offers_to_agents() -> None:
    ways = ("no_answer", "rejected", "canceled", "canceled", "error")
    offers = [
        agent_event(ev.AgentOfferEnded, at, contact="c1", reason=reason)
        for at, reason in enumerate(ways)
    ]
    talks = [agent_event(ev.AgentTalking, 10, contact=contact) for contact in ("c1", "c2", "c3")]
    cells = means([*offers, *talks, *offers[:1]])
    assert [value(cells, f"agent_offers_{way}") for way in dict.fromkeys(ways)] == [1, 1, 2, 1]
    assert value(cells, "agent_answer_ratio_all") == 3 / 8
    assert value(cells, "agent_answer_ratio_uncanceled") == 3 / 6


def test_what_was_known_of_an_agent_is_kept_over_a_restart() -> None:
    """Ticks after it go on from where they were, and not from the beginning."""
    events = [planned(0, HOUR), agent_event(ev.LoggedIn, 30), tick(120), tick(180), tick(240)]
    log = log_of([*events, agent_event(ev.NotReady, 250), tick(300)])
    whole = live(stage(), SIZE, log)
    changelog = [entity for seal in whole.seals.values() for entity in seal.entities]
    before = live(stage(), SIZE, log[:SIZE])
    after = live(stage(), SIZE, log, commit=SIZE, changelog=changelog)
    assert added_up([*before.outputs, *after.outputs]) == added_up(whole.outputs)
    amounts: Amounts = total(added_up(whole.outputs), STAFF)
    assert amounts["agent_state_ms_idle"] == 220_000
    assert amounts["scheduled_ms"] == 300_000


# -- who is remembered


def test_an_agent_heard_of_before_those_of_the_last_look_is_silent_in_time() -> None:
    """Bob's event is dated ahead, so nobody need be looked for until Ann comes."""
    day = DAY_MS // 1000
    events = [
        agent_event(ev.LoggedIn, 10 * HOUR, agent="Bob"), tick(day + 1),
        agent_event(ev.LoggedIn, 60), tick(day + 60),
    ]  # fmt: skip
    log = [record(event, offset, at_ms=ms(0)) for offset, event in enumerate(events)]
    made = stage()
    live(made, SIZE, log)
    assert made.counts["lost.silence"] == 1


def test_who_is_planned_is_remembered_until_the_plan_was_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Time goes on without ticks here, so what was planned has not been evaluated yet."""
    monkeypatch.setattr(staff, "KEEP_MS", HOUR * 1_000)
    others = [agent_event(ev.LoggedIn, at, agent="Bob") for at in range(9 * HOUR, 9 * HOUR + SIZE)]
    events = [planned(0, HOUR, at=0), *others, *others[:SIZE], tick(9 * HOUR)]
    assert value(means(events), "scheduled_time") == HOUR


def test_a_plan_is_remembered_for_as_long_after_its_end_as_anything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So a schedule that is told again is known for a repeat."""
    monkeypatch.setattr(staff, "KEEP_MS", 2 * HOUR * 1_000)
    plan = planned(4 * HOUR, 5 * HOUR, at=0)
    events = [plan, *[tick(at) for at in range(5 * HOUR, 5 * HOUR + 2 * SIZE)], plan]
    assert value(means(events), "scheduled_time") == HOUR
