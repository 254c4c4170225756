"""The keyed stages on the same events in any order, and again: the sums are the same.

Events hours late are the exception (an agent's day is folded after six), and time-outs, which say
when something was heard of.  Neither is in these logs.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from streams.core.agent import AgentState, fold
from streams.core.agent_facts import facts_of
from streams.core.order import fold as fold_contact
from streams.core.source import Record
from streams.kpis import ALL_MEASURES
from tests.builders import (
    T0,
    T0_MINUTE,
    Cells,
    ms,
    record,
    restarted,
    story,
    summed,
    total,
)
from tests.core.strategies import agents, contacts, told_again
from tests.simulation import oracle
from tests.simulation.driver import added_up, live
from tests.simulation.script import TERMS
from tests.simulation.test_stages import KINDS, SIZE, contact_records

BATCHES = st.lists(st.sampled_from((1, 2, 7, 5_000)), min_size=1, max_size=3)


def means(kind: str, log: Sequence[Record], batches: Sequence[int]) -> Cells:
    life = live(KINDS[kind].make(), SIZE, log, batches=batches, publish=(True, False))
    return added_up(life.outputs)


def appended(events: Sequence[msgspec.Struct]) -> list[Record]:
    """At once, after all of it has happened."""
    return [record(event, offset, at_ms=ms(5_000)) for offset, event in enumerate(events)]


@given(st.data(), BATCHES)
def test_contacts(data: st.DataObject, batches: list[int]) -> None:
    events = data.draw(contacts)
    log = appended(data.draw(told_again(events)))
    expected = summed(fold_contact(events, TERMS).said)
    assert means("contacts", log, batches) == expected


@given(st.data(), BATCHES)
def test_staff(data: st.DataObject, batches: list[int]) -> None:
    events = data.draw(agents())
    log = appended(data.draw(told_again(events)))
    state, proofs = fold(AgentState(), events)
    facts = [(fact, 1) for proof in proofs for fact in facts_of("Ann", proof, state.schedule)]
    assert means("staff", log, batches) == summed(facts)


@given(st.data(), BATCHES)
def test_customers(data: st.DataObject, batches: list[int]) -> None:
    told = data.draw(contact_records())
    again = [r._replace(offset=i) for i, r in enumerate(data.draw(told_again(told)))]
    expected = oracle.Customers(TERMS).read(told).cells(ALL_MEASURES)
    assert means("customers", again, batches) == expected


def test_the_first_restart_counts_whatever_is_heard_first() -> None:
    calls = story().queued(0).answered(1).handled(2).queued(3)
    restarts = [restarted(50), restarted(85)]
    for order in permutations([*calls.events, *restarts]):
        life = live(KINDS["contacts"].make(), SIZE, appended(order), batches=(2,))
        lost = {
            minute - T0_MINUTE: cell["contacts_left_lost"]
            for (cut, minute), cell in added_up(life.outputs).items()
            if cut[0] == "queue" and "contacts_left_lost" in cell
        }
        assert lost == {0: 1}


def test_a_contact_belongs_to_one_customer_whatever_is_heard_first() -> None:
    """The number it entered with first counts; who had it before is told that it is gone."""
    calls = story().queued(0, customer="p1").left(5, "overflow").queued(5, "IN", customer="p2")
    for order in permutations(calls.events):
        stage = KINDS["contacts"].make()
        life = live(stage, SIZE, appended(order), batches=(1,), publish=(True,))
        told = [o.value for o in life.outputs if o.stream == "records"]
        log = [Record("records", 0, offset, T0, None, row) for offset, row in enumerate(told)]
        amounts = total(means("customers", log, (1,)), ("channel", "voice"))
        assert amounts == {"customer_contacts": 1, "customers": 1}
