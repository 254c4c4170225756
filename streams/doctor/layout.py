"""Judges of the topics: what is there, where its copies lie, how large it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from streams.doctor.connection import ACL_NEXT, is_loopback
from streams.doctor.finding import Verdict, counted, fail, lasting, listed, ok, warn, worst
from streams.doctor.observed import At, Cluster, Span, Stage, Topic
from streams.kafka.topics import Change, TopicSpec, stops_a_worker
from streams.settings import Settings

APPLY = "contact-streams topics apply"
COPIES = "kafka-reassign-partitions.sh, or set kafka.replication to what they have"
MIGRATION = "set kafka.partitions back, or see docs/operations.md on changing partition counts"
CHANGELOG_BYTES_MAX = 512 * 1024 * 1024
"""Of one partition.  The log cleaner keeps it near what lives; whoever takes the partition over
reads all of it."""
OPEN_WARN_MS = 60_000
OPEN_FAIL_MS = 900_000
"""Kafka's limit of a transaction's time: what is open for longer will not be ended by itself."""


def topics(cluster: Cluster, specs: Sequence[TopicSpec], drift: Sequence[Change]) -> Verdict:
    if not drift:
        return ok(f"{counted(len(specs), 'topic')}, as they must be")
    hidden = {change.topic for change in drift if change.action == "alter" and change.found is None}
    if hidden:
        found = f"this user may not see the settings of {counted(len(hidden), 'topic')}"
        return fail(f"{found}, such as {listed(sorted(hidden)[:1])}", ACL_NEXT)
    fatal = [change for change in drift if stops_a_worker(change)]
    told = fatal or drift
    unseen = not cluster.operations and any(change.action == "create" for change in told)
    if unseen:
        return fail(f"{_told(told)} (or this user may not see them)", f"{APPLY}, or {ACL_NEXT}")
    return (fail if fatal else warn)(_told(told), _mending(told))


def _mending(changes: Sequence[Change]) -> str:
    if any(change.setting == "partitions" for change in changes):
        return MIGRATION
    return APPLY if any(change.action != "refuse" for change in changes) else COPIES


def _told(changes: Sequence[Change]) -> str:
    missing = [change.topic for change in changes if change.action == "create"]
    others = [_difference(change) for change in changes if change.action != "create"]
    parts = [f"missing: {listed(missing)}"] if missing else []
    return "; ".join(parts + ([listed(others, "; ")] if others else []))


def _difference(change: Change) -> str:
    return f"{change.topic} has {change.setting} {change.found}, needs {change.wanted}"


def partitions(
    settings: Settings, specs: Sequence[TopicSpec], topics: Sequence[Topic]
) -> Verdict | None:
    """Of those topics that must have one count among them, whatever the settings say."""
    together = {spec.name for spec in specs if spec.copartitioned}
    counts = {t.name: len(t.partitions) for t in topics if t.name in together}
    if not counts:
        return None
    usual, number = Counter(counts.values()).most_common(1)[0]
    others = [f"{name} {count}" for name, count in counts.items() if count != usual]
    if others:
        return fail(
            f"{counted(number, 'topic')} of {usual} partitions, but {listed(others)}",
            MIGRATION,
        )
    if usual != settings.kafka.partitions:
        return fail(
            f"all have {usual}, kafka.partitions is {settings.kafka.partitions}",
            f"set kafka.partitions = {usual}",
        )
    return ok(f"{usual} in each of the {len(counts)} that are keyed alike")


# -- copies


def replicas(
    settings: Settings, cluster: Cluster, specs: Sequence[TopicSpec], topics: Sequence[Topic]
) -> Verdict:
    least = {spec.name: int(spec.config.get("min.insync.replicas", 1)) for spec in specs}
    broken = [*_without_leader(topics), *_too_few(topics, least)]
    return worst([*broken, *_behind(topics), _copies(settings, cluster, topics)])


def _without_leader(topics: Sequence[Topic]) -> list[Verdict]:
    gone = [f"{t.name}[{n}]" for t in topics for n, p in t.partitions.items() if p.leader < 0]
    return [fail(f"no leader: {listed(gone)}", "start the brokers that hold them")] if gone else []


def _too_few(topics: Sequence[Topic], least: Mapping[str, int]) -> list[Verdict]:
    few = [
        f"{topic.name}[{number}]"
        for topic in topics
        for number, one in topic.partitions.items()
        if one.leader >= 0 and len(one.in_sync) < min(least.get(topic.name, 1), len(one.replicas))
    ]
    found = f"fewer copies in sync than min.insync.replicas, so writes are refused: {listed(few)}"
    return [fail(found, "start the brokers that hold the others")] if few else []


def _behind(topics: Sequence[Topic]) -> list[Verdict]:
    behind = [
        f"{topic.name}[{number}]"
        for topic in topics
        for number, one in topic.partitions.items()
        if one.leader >= 0 and (len(one.in_sync) < len(one.replicas) or one.offline)
    ]
    if not behind:
        return []
    found = f"under-replicated: {counted(len(behind), 'partition')}, such as {behind[0]}"
    return [warn(found, "look at the brokers that hold the others")]


def _copies(settings: Settings, cluster: Cluster, topics: Sequence[Topic]) -> Verdict:
    wanted, there = settings.kafka.replication, len(cluster.brokers)
    if wanted > there:
        return fail(
            f"kafka.replication is {wanted}, with {counted(there, 'broker')}",
            f"set kafka.replication to at most {there}, or add brokers",
        )
    single = [t.name for t in topics if t.internal and _fewest(t) < min(3, there)]
    if single:
        return warn(
            f"fewer copies than the {there} brokers allow: {listed(single)}",
            "raise their replication with kafka-reassign-partitions.sh",
        )
    alone = is_loopback(settings.kafka.bootstrap.rpartition(":")[0])
    if wanted == 1 and not (there == 1 and alone):
        return warn(
            f"one copy of everything on {counted(there, 'broker')}: losing one loses state",
            "kafka.replication = 3 on three brokers",
        )
    return ok(f"{counted(wanted, 'copy', 'copies')}, {counted(there, 'broker')}, all in sync")


def _fewest(topic: Topic) -> int:
    return min((len(one.replicas) for one in topic.partitions.values()), default=0)


# -- contents


def changelogs(
    stages: Sequence[Stage], sizes: Mapping[At, int], spans: Mapping[At, Span]
) -> Verdict | None:
    """Bytes of the largest replica of each partition; records by offsets, so at most.  None if
    there are no changelogs."""
    names = [stage.changelog for stage in stages if stage.changelog]
    ours = {at: size for at, size in sizes.items() if at[0] in names}
    if not any(topic in names for topic, _ in spans):
        return None
    if not ours:
        return warn("this user may not ask for sizes", "allow it DESCRIBE on the cluster")
    large = [
        f"{topic}[{number}] {_mib(size)}"
        for (topic, number), size in sorted(ours.items(), key=lambda one: -one[1])
        if size > CHANGELOG_BYTES_MAX
    ]
    records = sum(span.end - span.start for at, span in spans.items() if at[0] in names)
    found = f"{_mib(sum(ours.values()))}, at most {counted(records, 'record')}"
    if large:
        return warn(
            f"{found}; a restart reads all of {listed(large)}",
            "see whether the brokers' log cleaner runs; then more partitions: docs/operations.md",
        )
    return ok(found)


def _mib(size: int) -> str:
    return f"{size / 1024**2:,.1f} MiB"


def transactions(open_ms: Mapping[At, int]) -> Verdict:
    """``open_ms``: where readers of committed records stop, since when."""
    if not open_ms:
        return ok("none stays open")
    names = [
        f"{topic}[{number}] for {lasting(ms)}"
        for (topic, number), ms in sorted(open_ms.items(), key=lambda one: -one[1])
    ]
    found, longest = f"open: {listed(names)}", max(open_ms.values())
    if longest < OPEN_WARN_MS:
        return ok(found)
    if longest < OPEN_FAIL_MS:
        return warn(f"{found}; readers wait", "run doctor again in some minutes")
    return fail(f"{found}; readers wait for ever", "kafka-transactions.sh find-hanging, then abort")


def targets(settings: Settings, specs: Sequence[TopicSpec], topics: Sequence[Topic]) -> Verdict:
    count = len(settings.targets)
    if not count:
        return ok("none are set")
    wanted = next(spec.name for spec in specs if spec.name.endswith(".breaches.v1"))
    if wanted not in {topic.name for topic in topics}:
        return fail(f"{counted(count, 'target')} set, but no topic {wanted}", APPLY)
    return ok(f"{counted(count, 'target')}; breaches go to {wanted}")
