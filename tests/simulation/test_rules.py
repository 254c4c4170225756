"""Each delivery rule broken on purpose: a search finds out, and the unbroken system passes it.

The rules are numbered as in ``docs/architecture.md``.  Those that need a real broker or Faust (5,
9, 11, 12, 13, and 4 once more) are in ``tests/integration/test_rules.py``.
"""

from __future__ import annotations

import pytest

from tests.simulation import kinds, mutants
from tests.simulation.actions import do
from tests.simulation.check import problems
from tests.simulation.script import Step
from tests.simulation.search import SUMS, Kind, run, search
from tests.simulation.world import Rules, World

ANYTHING = ("",)
UNBROKEN_TRIES = 40


def shows(
    kind: Kind,
    broken: Rules,
    *,
    tries: int,
    evidence: tuple[str, ...] = SUMS,
    unbroken: Rules | None = None,
) -> None:
    """The search finds a scenario for the broken system that the unbroken one gets through, as it
    gets through all that were tried before, and some more."""
    unbroken = unbroken or Rules()
    found = search(kind, broken, tries, evidence=evidence)
    assert found.scenario is not None, f"not found in {tries} scenarios"
    assert run(found.scenario, unbroken) == []
    assert search(kind, unbroken, min(found.tried, UNBROKEN_TRIES)).problems == []


# -- 1: order inside a publish


def test_rule_01_segments_are_published_in_ascending_order() -> None:
    """A publish sends the running segment before the sealed one.  The board takes the later
    segment, and what then comes of the earlier one has a lower position: it is taken for a repeat,
    and its counts are missing."""
    shows(kinds.HANDOVERS, Rules(owner=mutants.NewestFirst), tries=50)


def test_rule_01_a_retry_does_not_reorder() -> None:
    """Batches of one partition may overtake one another, as without an idempotent producer.  Shows
    as above."""
    shows(kinds.HANDOVERS, Rules(producer=mutants.Overtaking), tries=100)


# -- 2: commit last


def test_rule_02_entities_are_written_before_the_commit() -> None:
    """The offset is committed, then the worker dies before the entities are written.  The next one
    does not know the contacts of that segment: an answer finds no visit and infers a second one."""
    shows(kinds.HANDOVERS, Rules(owner=mutants.CommitFirst), tries=1_000)


def test_rule_02_outputs_are_written_before_the_commit() -> None:
    """Entities and commit are written, then the worker dies before the partials are sent.  The
    replay begins behind them: they are never sent."""
    shows(kinds.HANDOVERS, Rules(owner=mutants.OutputsLast), tries=1_000)


def test_rule_02_values_are_encoded_at_the_instant_of_the_seal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A seal's agents are encoded when it is written.  By then the next segment has begun and has
    folded events into their base; the commit does not get through.  A replay folds events of that
    segment into the base a second time, and states end when they did not."""
    monkeypatch.setattr("streams.stages.staff.SETTLE_MS", 60_000)
    shows(kinds.STAFF, Rules(stages={"staff": mutants.EncodesLate}), tries=2_000)


# -- 3 and 4: who may write


def test_rule_03_a_failed_write_ends_the_shard() -> None:
    """After a write has failed the shard goes on.  What it wanted to write is not marked as changed
    any more: it is never written."""
    shows(kinds.FAILURES, Rules(ends_on_failure=False), tries=1_000)


def test_rule_03_a_refused_commit_ends_the_shard() -> None:
    """A commit is refused while a rebalance is under way, and the shard goes on.  The seals behind
    it are not written any more; a later commit passes over them, and their contacts are not there
    after a restart."""
    steps: list[Step] = [("q", int(who), 0, 1) for who in "000111000"]
    world = World(kinds.ONE, [*steps, ("a", 1, 0, 1)])
    seat, place = world.owners["contacts", 0], ("contact-events", 0)
    do(world, [("begin", 0, 0, 0), ("feed", 0, 0, 5), ("run", 0, 0, 5)])
    world.kafka.refusing.add(place)
    seat.flush()
    world.kafka.refusing.clear()
    do(world, [("feed", 0, 0, 2), ("run", 0, 0, 2), ("flush", 0, 0, 0), ("crash", 0, 0, 0)])
    world.heal(True)
    assert problems(world) == []


def test_rule_04_a_former_owner_is_shut_out() -> None:
    """Without a fence a paused owner's seal arrives after its successor's.  The log cleaner drops
    the successor's entities, which were superseded; the next restore finds contacts without their
    latest events, and the commit is behind those."""
    shows(kinds.ZOMBIES, Rules(fenced=False), tries=1_000)


# -- 6: restore


def test_rule_06_the_highest_position_wins() -> None:
    """On restore the last record of a key is taken.  Behind a fence the last is the highest, so
    this is tried without one, where a former owner may write late, and without a log cleaner: then
    every value is still there, and only the position tells which one counts."""
    unfenced = Rules(fenced=False, cleaner=False)
    broken = Rules(fenced=False, cleaner=False, stages={"contacts": mutants.LastRecordWins})
    shows(kinds.ZOMBIES_UNCLEANED, broken, unbroken=unfenced, tries=1_000)


def test_rule_06_what_lies_beyond_the_commit_is_trimmed() -> None:
    """Events beyond the commit stay in the restored contacts, so the replay takes them for
    duplicates.  The sums survive it, because the partials of a sealed segment are acknowledged
    before its entities are written; but the shard is not what it was at the border: the mark that
    it writes there again is another one, and on that depends who is forgotten."""
    broken = Rules(stages={"contacts": mutants.Untrimmed})
    shows(kinds.HANDOVERS, broken, evidence=("('changelog-contacts'",), tries=1_000)


# -- 7 and 8: what is taken


def test_rule_07_records_absorbed_before_are_skipped() -> None:
    """Records come again after an assignment and are absorbed again.  The earlier segment is begun
    anew with nothing in it (its events are known), then the later one, without what it had: the
    board replaces its counts by fewer."""
    shows(kinds.REPEATED_READS, Rules(shard=mutants.TakesRepeats), tries=500)


def test_rule_07_a_hole_that_the_log_does_not_have_is_noticed() -> None:
    """Records that were fetched and dropped are passed over: their events are missing."""
    shows(kinds.SKIPPED_READS, Rules(shard=mutants.TakesJumps), tries=100)


def test_rule_08_a_rebalance_drops_a_shard_whole() -> None:
    """A worker that gets a partition back keeps the shard it had, and reads on from the commit.
    What its successor absorbed in between is missing in its contacts."""
    shows(kinds.RETURNS, Rules(drops_whole=False), tries=1_000)


def test_rule_08_a_shard_that_stays_in_the_next_generation_is_kept() -> None:
    """Not broken, but allowed: nobody else can have owned it.  It is given again what it has not
    committed, and skips that; a shard that takes it in again shows at once."""
    assert search(kinds.STAYS, Rules(), 300).problems == []
    shows(kinds.STAYS, Rules(shard=mutants.TakesRepeats), tries=500)


# -- 10: time


def test_rule_10_a_tick_acts_only_by_adding_an_event() -> None:
    """A tick posts that a contact was lost, and adds no event to it.  Once the contact was stored,
    nobody knows that this was said: when it speaks again, nothing is taken back."""
    shows(kinds.SILENCE, Rules(stages={"contacts": mutants.ClosesByItself}), tries=100)


# -- 14: results


def test_rule_14_results_are_written_before_what_makes_a_repeat_invisible() -> None:
    """The board stores and commits its cells, then dies before its results are written.  Nothing
    changes any more, so nothing is said."""
    shows(kinds.BOARD, Rules(owner=mutants.ResultsLast), tries=500)


def test_rule_14_results_too_many_for_one_transaction_never_fall(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The board dies when some of its results are committed and its cells are not.  The next one
    begins before them and says older values again: a reader sees revisions fall.  (If the cells go
    with the first of the results, the next one is catching up and says nothing until it is past
    them.)"""
    monkeypatch.setattr("streams.runtime.owner.RESULTS_MAX", 2)
    assert search(kinds.BOARD, Rules(), 200).problems == []


def test_rule_14_what_was_restored_beyond_the_commit_is_said_again() -> None:
    """The board dies in its transaction.  Its cells are restored all the same (an aborted record is
    a true value), and the replay changes nothing in them: the results, aborted with them, are
    missing."""
    shows(kinds.BOARD, Rules(stages={"board": mutants.SaysNothingAgain}), tries=500)


# -- 15: the same for ever


def test_rule_15_batch_boundaries_never_show() -> None:
    """The contacts are sealed and committed wherever a batch ends.  After a restart in the middle
    of a segment its sums begin at 0 again, with higher positions: they replace the whole."""
    broken = Rules(stages={"contacts": mutants.SealsWhereBatchesEnd})
    shows(kinds.HANDOVERS, broken, tries=500)


def test_rule_15_processing_reads_no_clock() -> None:
    """When a contact was heard of last is read from the machine's clock.  A log that is processed
    later gives up other contacts than the same log at once."""
    shows(kinds.SILENCE, Rules(stages={"contacts": mutants.ReadsAClock}), tries=100)


# -- 16 and 17: contacts


def test_rule_16_an_event_told_twice_counts_once() -> None:
    """An ingest worker dies between sending events and its commit; the next one sends them again.
    Without the ids each of them counts twice."""
    shows(kinds.DUPLICATES, Rules(stages={"contacts": mutants.TakesDuplicates}), tries=100)


def test_rule_17_a_removal_carries_its_position() -> None:
    """Tombstones say nothing of their position, so a restore cannot tell what they remove: a
    forgotten contact is back, and its next event is understood in the light of the old ones."""
    shows(kinds.FORGETTING, Rules(owner=mutants.BareTombstones), tries=1_000)


def test_rule_17_a_contact_is_removed_when_the_commit_has_passed_its_last_event() -> None:
    """A contact is removed in the segment of its last event.  The worker dies before the commit,
    and the removal wins: the replay meets that event without the ones before it, and what it then
    publishes contradicts what was published before, as of the same position."""
    stories = [kinds.dies_after(requests) for requests in range(12)]
    assert [run(story, Rules()) for story in stories] == [[]] * len(stories)
    broken = Rules(stages={"contacts": mutants.ForgetsTooSoon})
    found = [problem for story in stories for problem in run(story, broken)]
    assert any(problem.startswith("('Partial'") for problem in found)


# -- 18: dead letters


def test_rule_18_a_dead_letter_is_written_once() -> None:
    """A worker dies between a letter and its commit; its successor meets the same record, does not
    look, and writes the letter again."""
    broken = Rules(letters=mutants.SaysLettersAgain)
    shows(kinds.LETTERS, broken, evidence=("letter",), tries=200)


def test_rule_18_a_former_owner_writes_no_letters() -> None:
    """Letters are not fenced: a paused owner's letter arrives after its successor has looked."""
    broken = Rules(owner=mutants.PlainLetters)
    kind = kinds.LETTERS._replace(troubles=("crash", "take"), plot=kinds.LATE_LETTER)
    shows(kind, broken, evidence=("letter",), tries=2_000)
