"""Judges of the work: who does it, how far it is, what was lost or set aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streams.doctor.finding import Verdict, counted, fail, lasting, listed, ok, warn, worst
from streams.doctor.observed import (
    At,
    Clock,
    Commit,
    DeadLetters,
    Group,
    Member,
    Span,
    Stage,
    Topic,
)  # fmt: skip
from streams.settings import Settings

CLOCK_WARN_MS = 1_000
CLOCK_FAIL_MS = 60_000
"""By how much the clocks of two brokers may differ before a dead letter could come twice."""
AGE_WARN_MS = 60_000
START = "contact-streams worker"
SCALE = "if it does not shrink, see docs/operations.md on scaling out"
LOSSES = "see docs/doctor.md on losses before a worker is started"


def group(group: Group, commits: Mapping[At, Commit]) -> Verdict:
    if not group.members and not commits:
        return warn(f"{group.name}: no worker has ever worked", START)
    if not group.members:
        return fail(f"{group.name}: no members; nobody works", START)
    if group.state != "Stable":
        return warn(
            f"{group.name}: {group.state}, {counted(len(group.members), 'member')}",
            "contact-streams doctor --only group, in a minute",
        )
    return ok(f"{group.name}: stable, {counted(len(group.members), 'member')}")


def members(
    settings: Settings, group: Group, stages: Sequence[Stage], topics: Sequence[Topic]
) -> Verdict | None:
    """None while there are none or they move about."""
    if group.state != "Stable" or not group.members:
        return None
    assigned = {at for member in group.members for at in member.assigned}
    wanted = {stage.topic for stage in stages}
    every = {(t.name, number) for t in topics if t.name in wanted for number in t.partitions}
    verdicts = [*_unread(every - assigned), *_idle(group.members), *_names(group.members)]
    count = counted(len(group.members), "member")
    static = ", each with a static id" if group.members[0].instance_id else ", no static ids"
    well = ok(f"{count} for {counted(settings.kafka.partitions, 'partition')}{static}")
    return worst([well, *verdicts])


def _unread(nobodys: set[At]) -> list[Verdict]:
    topics = sorted({topic for topic, _ in nobodys})
    found = f"nobody reads {counted(len(nobodys), 'partition')} of {listed(topics)}"
    following = "see that all workers have the same ingest.sources; then restart them"
    return [fail(found, following)] if nobodys else []


def _idle(members: Sequence[Member]) -> list[Verdict]:
    idle = sum(not member.assigned for member in members)
    found = f"{counted(idle, 'member')} without partitions"
    return [warn(found, "run no more workers than kafka.partitions")] if idle else []


def _names(members: Sequence[Member]) -> list[Verdict]:
    named = sum(bool(member.instance_id) for member in members)
    found = f"{named} of {counted(len(members), 'member')} with a static id"
    mixed = 0 < named < len(members)
    return [warn(found, "set kafka.instance_id of every worker, or of none")] if mixed else []


def lag(
    group: Group,
    stages: Sequence[Stage],
    behind: Mapping[At, int],
    unread_ms: Mapping[At, int],
    keep_ms: Mapping[str, int],
) -> Verdict:
    """``behind``: records that cannot have been absorbed; ``unread_ms``: age of the first of these,
    ``keep_ms``: how long a topic keeps records, none for those that keep them for ever."""
    told = _by_stage(stages, behind)
    late = sorted(unread_ms.items(), key=lambda one: -one[1])
    verdicts = [_late(at, ms, group, keep_ms.get(at[0])) for at, ms in late]
    judged = worst([ok(""), *(verdict for verdict in verdicts if verdict is not None)])
    slack = max((stage.slack for stage in stages), default=0) if group.members else 0
    more = f" (or up to {slack:,} more in a partition)" if slack else ""
    return judged._replace(found=f"unread: {told}{more}{judged.found and '; ' + judged.found}")


def _by_stage(stages: Sequence[Stage], behind: Mapping[At, int]) -> str:
    """A stage that reads several topics is told once, with all of them."""
    records = dict.fromkeys((stage.name for stage in stages), 0)
    for stage in stages:
        records[stage.name] += sum(n for at, n in behind.items() if at[0] == stage.topic)
    return ", ".join(f"{name} {count:,}" for name, count in records.items())


def _late(at: At, ms: int, group: Group, keep_ms: int | None) -> Verdict | None:
    if group.members and ms <= AGE_WARN_MS:
        return None
    found = f"{at[0]}[{at[1]}] waits for {lasting(ms)}"
    if keep_ms is not None and ms > keep_ms / 2:
        following = "add workers now" if group.members else START
        return fail(f"{found} and is deleted after {lasting(keep_ms)}", following)
    return warn(found, SCALE if group.members else START)


# -- what contradicts itself


def losses(
    stages: Sequence[Stage],
    topics: Sequence[Topic],
    spans: Mapping[At, Span],
    commits: Mapping[At, Commit],
) -> Verdict:
    """What a worker would stop for at its start: see ``processing.lost_records``."""
    ids = {topic.name: topic.id for topic in topics}
    verdicts = [
        verdict
        for stage in stages
        for at, commit in commits.items()
        if at[0] == stage.topic and at in spans
        for verdict in _contradictions(stage, at, commit, spans[at], ids)
    ]
    heads = [
        f"{topic}[{number}]"
        for (topic, number), span in spans.items()
        if span.start > 0 and topic in {stage.changelog for stage in stages}
    ]
    if heads:
        verdicts.append(fail(f"the head of a changelog was deleted: {listed(heads)}", LOSSES))
    return worst([ok(f"{counted(len(commits), 'commit')}, all within the logs"), *verdicts])


def _contradictions(
    stage: Stage, at: At, commit: Commit, span: Span, ids: Mapping[str, str]
) -> list[Verdict]:
    name = f"{at[0]}[{at[1]}]"
    expected = [ids.get(topic, "") for topic in (stage.topic, stage.changelog) if topic]
    if commit.note and commit.note.split() != expected:
        return [fail(f"{name} or its changelog was deleted and made again", LOSSES)]
    if commit.offset > span.end:
        return [fail(f"{name} ends at {span.end}, before what was processed", LOSSES)]
    if commit.offset < span.start:
        gone = counted(span.start - commit.offset, "record")
        return [fail(f"{name}: {gone} deleted unread", LOSSES)]
    return []


# -- time


def clock(clocks: Sequence[Clock]) -> Verdict | None:
    """None if nothing was ever written there."""
    return worst([_clock(one) for one in clocks]) if clocks else None


def _clock(one: Clock) -> Verdict:
    """By how much the clocks differ at the least decides."""
    behind_ms = 0.0 if one.high_ms is None else max(0.0, -one.high_ms)
    ahead_ms = max(0.0, one.low_ms)
    apart_ms = max(behind_ms, ahead_ms)
    name = f"broker {one.broker}"
    if apart_ms > CLOCK_WARN_MS:
        found = f"{name} is {lasting(apart_ms)} {'ahead of' if ahead_ms else 'behind'} this machine"
        following = "synchronise both by NTP (chronyc tracking)"
        return (fail if apart_ms > CLOCK_FAIL_MS else warn)(found, following)
    if one.high_ms is None:
        return warn(
            f"{name}: nothing was written while looking, so only: it is not ahead",
            "contact-streams doctor --only clock, while a worker runs",
        )
    return ok(f"{name} is within {lasting(max(abs(one.low_ms), abs(one.high_ms)))}")


# -- what was set aside


def dead_letters(dead_letters: DeadLetters, now_ms: int) -> Verdict:
    if not dead_letters.count:
        return ok("none")
    age = ""
    if dead_letters.oldest_ms is not None:
        age = f", the oldest of {lasting(max(0, now_ms - dead_letters.oldest_ms))} ago"
    return warn(f"at most {dead_letters.count:,}{age}", "contact-streams dlq list")
