"""What a restore must not change, one story each: found by thinking or by searching, kept for ever.

In all of them the changelog holds a seal that was written and not committed, so some entities are
newer than the commit.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from streams.core.source import Record
from tests.builders import T0
from tests.simulation import script
from tests.simulation.driver import added_up, conflicts, live
from tests.simulation.script import Step
from tests.simulation.test_stages import KINDS, SIZE, TO_THE_END, Ends, Fate

HOUR = 3_600
A_SEAL_TOO_MANY = Ends(2 * SIZE, 1, (1,), (True,), 0)
"""A life of two segments whose second seal is in the changelog, but was not committed."""


def restored(kind: str, log: Sequence[Record]) -> Fate:
    """The stage after such a life, and another one to the end of the log."""
    fate = Fate(KINDS[kind], list(log))
    fate.live(A_SEAL_TOO_MANY)
    first = live(fate.kind.make(), SIZE, log[: 2 * SIZE], batches=(1,))
    fate.changelog = [e for seal in first.seals.values() for e in seal.entities]
    assert fate.commit == SIZE
    fate.live(TO_THE_END)
    return fate


def holds(kind: str, log: Sequence[Record]) -> None:
    """The second life says what the first one said, and the sums are right."""
    fate = restored(kind, log)
    assert conflicts(fate.outputs) == []
    assert added_up(fate.outputs) == fate.kind.means(log)


def test_contacts_are_given_up_in_the_order_they_were_heard_of_before_the_commit() -> None:
    # c0 is due at the tick, c1 is not; the uncommitted record of c0 is newer than that of c1.
    steps: list[Step] = [
        ("q", 0, 0, 0), ("q", 1, 0, 50), ("m", 2, 0, 0), ("m", 2, 0, 0),
        ("t", 0, 0, 60), ("a", 0, 0, 1), ("m", 2, 0, 1), ("m", 2, 0, 1),
    ]  # fmt: skip
    holds("contacts", script.records(steps))


def test_a_contact_is_not_forgotten_in_a_segment_that_has_a_duplicate_of_it() -> None:
    # The removal of c1 wins over the commit, and a replay would not know the duplicate for one.
    steps: list[Step] = [
        ("q", 1, 0, 0), ("a", 1, 0, 1), ("h", 1, 0, 1), ("m", 2, 0, 1),
        ("d", 2, 0, 1), ("t", 0, 0, 500), ("m", 2, 0, 1), ("m", 2, 0, 1),
    ]  # fmt: skip
    holds("contacts", script.records(steps))


def test_agents_are_logged_out_in_whatever_order_they_were_restored() -> None:
    steps: list[Step] = [
        ("i", 0, 0, 0), ("i", 1, 0, 300), ("n", 2, 0, 0), ("n", 2, 0, 0),
        ("t", 0, 0, 200), ("n", 0, 0, 1), ("n", 2, 0, 1), ("n", 2, 0, 1),
    ]  # fmt: skip
    holds("staff", script.records(steps))


def test_an_agent_is_not_silent_because_old_events_were_folded() -> None:
    # a0's event is old but was appended just now; the second segment folds it into the base.
    steps: list[Step] = [
        ("i", 0, 10 * HOUR, 10 * HOUR), ("t", 0, 0, 0), ("t", 0, 0, 0), ("t", 0, 0, 0),
        ("t", 0, 0, 1), ("n", 0, 0, 1), ("n", 2, 0, 1), ("n", 2, 0, 1),
    ]  # fmt: skip
    holds("staff", script.records(steps))


def test_an_agents_last_folded_event_told_again_changes_nothing() -> None:
    # Both of a0's events are of one millisecond; hours later the first of them is told again.
    steps: list[Step] = [
        ("k", 0, 0, 0), ("f", 0, 0, 0), ("n", 2, 0, 7 * HOUR), ("n", 2, 0, 0),
        ("d", 1, 0, 1), ("y", 2, 0, 1), ("o", 0, 0, 1), ("n", 2, 0, 1),
    ]  # fmt: skip
    holds("staff", script.records(steps))


def test_an_outdated_record_of_a_consult_leg_changes_nothing() -> None:
    def row(contact: str, position: int, arrived_ms: int | None) -> bytes:
        channel = None if arrived_ms is None else "voice"
        return orjson.dumps({
            "origin": "contacts/0", "position": position, "contact": contact, "customer": "p0",
            "channel": channel, "queue": None, "arrived_ms": arrived_ms,
        })  # fmt: skip

    # Version 1 says that c0 was a consult leg; a replay tells version 0 once more.
    rows = [row("c0", 0, T0), row("c0", 1, None), *[row("c1", i, T0) for i in range(3)]]
    rows += [row("c0", 0, T0), row("c1", 3, T0), row("c1", 4, T0)]
    holds("customers", [Record("records", 0, i, T0, None, value) for i, value in enumerate(rows)])
