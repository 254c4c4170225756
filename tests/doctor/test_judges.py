"""What each check says of what was seen: ok, warn or fail, and the next command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from kafka.errors import (
    GroupAuthorizationFailedError,
    KafkaConnectionError,
    KafkaTimeoutError,
    NodeNotReadyError,
)  # fmt: skip

from streams.doctor.connection import DAY_MS, RENEW_NEXT
from streams.doctor.examine import CHECKS, NAMES, Unmade, chosen, examine
from streams.doctor.layout import APPLY, MIGRATION
from streams.doctor.look import Look, seen
from streams.doctor.observed import (
    Answer,
    Broker,
    Certificate,
    Clock,
    Cluster,
    Commit,
    DeadLetters,
    Group,
    Member,
    Partition,
    Span,
    Stage,
    Topic,
    Worker,
)  # fmt: skip
from streams.doctor.progress import START
from streams.errors import BrokerError, SettingsError, TopicsError
from streams.kafka.topics import Change, TopicSpec
from streams.settings import Settings

NOW_MS = 1_800_000_000_000
MINUTE_MS = 60_000
RAW, EVENTS = "cc.raw.asterisk-queue-log.v1", "cc.events.contact.v1"
CHANGELOG = "contact-streams-contacts-changelog"
ALL = frozenset({"DESCRIBE", "DESCRIBE_CONFIGS", "READ", "WRITE"})


def settings(**sections: dict[str, Any]) -> Settings:
    made = Settings()
    changed: dict[str, Any] = {
        name: replace(getattr(made, name), **fields) for name, fields in sections.items()
    }
    return replace(made, **changed)


def topic(name: str = EVENTS, count: int = 4, copies: int = 1, **fields: Any) -> Topic:
    brokers = list(range(1, copies + 1))
    one = Partition(1, brokers, brokers)
    return Topic(
        name, "id-" + name, dict.fromkeys(range(count), one), **{"operations": ALL, **fields}
    )


def with_partition(topic: Topic, **fields: Any) -> Topic:
    return replace(
        topic, partitions={**topic.partitions, 0: topic.partitions[0]._replace(**fields)}
    )


def spec(name: str = EVENTS, least: int = 1) -> TopicSpec:
    return TopicSpec(name, "", 4, 1, True, {"min.insync.replicas": str(least)})


def cluster(brokers: int = 1, release: tuple[int, ...] = (4, 3), **fields: Any) -> Cluster:
    every = [Broker(n, Answer(f"kafka-{n}:9092")) for n in range(1, brokers + 1)]
    told = {"kraft": True, "transactions": True, "operations": frozenset({"DESCRIBE"}), **fields}
    return Cluster(every, release, **told)


STAGES = [Stage("ingest", RAW), Stage("contacts", EVENTS, CHANGELOG, 256)]
EVERY = frozenset((name, number) for name in (RAW, EVENTS) for number in range(4))
TOPICS = [topic(RAW), topic(EVENTS), topic(CHANGELOG)]
MEMBER = Member("", EVERY)
STABLE = Group("contact-streams", "Stable", [MEMBER])
NOBODY = Group("contact-streams", "Empty")
NOTE = f"id-{EVENTS} id-{CHANGELOG}"
WELL = Worker("http://w", "", "running", "1.0", {f"board/{n}": NOW_MS - 900 for n in range(4)})
AWAY = {"bootstrap": "kafka-1:9092"}


class Case(NamedTuple):
    check: str
    status: str
    found: str
    next: str
    seen: dict[str, Any]


def case(check: str, status: str, found: str, next: str = "", **seen: Any) -> Any:
    return pytest.param(Case(check, status, found, next, seen), id=f"{check}-{status}-{found[:30]}")


BREACHES = "cc.breaches.v1"
GOAL: Any = "their number is all that is asked for"
GOALS = replace(Settings(), targets=(GOAL,))
SILENT = [Answer("kafka-1:9092", "Connection refused"), Answer("kafka-2:9092")]
ALTERED = Change(EVENTS, "alter", "cleanup.policy", "compact", "delete")
KEPT = Change(EVENTS, "alter", "retention.ms", "-1", "1000")
MISSING = Change(RAW, "create", "", None, "4 partitions, replication 1")
COUNT = Change(EVENTS, "refuse", "partitions", "2", "4", "why")
COPIES = Change(EVENTS, "refuse", "replication", "1", "3", "why")
HIDDEN = Change(EVENTS, "alter", "cleanup.policy", None, "delete")

CASES = [
    case("settings", "ok", "0 of them given", settings=settings()),
    case("kafka", "ok", "answers at a:1", addresses=[Answer("a:1")], reached=""),
    case("kafka", "warn", "kafka-1:9092 (Connection refused)", "kafka.bootstrap",
         addresses=SILENT, reached=""),
    case("kafka", "fail", "nobody answers", "broker start", addresses=SILENT[:1], reached="no"),
    case("kafka", "fail", "does not serve us: it hangs up", "kafka.security_protocol",
         addresses=SILENT, reached="it hangs up"),
    case("brokers", "ok", "3 brokers", cluster=cluster(3)),
    case("brokers", "warn", "1 broker at work, and fenced: 2", "start the brokers",
         cluster=replace(cluster(), brokers=[
             Broker(1, Answer("a:1")), Broker(2, Answer("b:1", "refused"), fenced=True)])),
    case("brokers", "fail", "1 at internal:9092 (no answer in time)", "advertised.listeners",
         cluster=replace(cluster(), brokers=[
             Broker(1, Answer("internal:9092", "no answer in time"))])),
    case("version", "ok", "Kafka 4.3 (tested with 4.3)", cluster=cluster()),
    case("version", "ok", "Kafka 5.0", cluster=cluster(release=(5, 0))),
    case("version", "warn", "Kafka 3.9", "upgrade", cluster=cluster(release=(3, 9))),
    case("version", "warn", "ZooKeeper", "KRaft", cluster=cluster(release=(3, 4), kraft=False)),
    case("version", "fail", "too old", "upgrade", cluster=cluster(release=(2, 4))),
    case("version", "fail", "without transactions", "transactions",
         cluster=cluster(transactions=False)),
    case("security", "ok", "PLAINTEXT, on this machine", settings=settings()),
    case("security", "ok", "SASL_SSL", settings=settings(
        kafka={**AWAY, "security_protocol": "SASL_SSL"})),
    case("security", "warn", "unencrypted to kafka-1", "SASL_SSL", settings=settings(kafka=AWAY)),
    case("security", "warn", "and so does the password", "SASL_SSL", settings=settings(
        kafka={**AWAY, "security_protocol": "SASL_PLAINTEXT"})),
    case("certificates", "ok", "a:1: expires in 300 days",
         certificates=[Certificate("a:1", NOW_MS + 300 * DAY_MS)]),
    case("certificates", "warn", "expires in 20 days", RENEW_NEXT,
         certificates=[Certificate("a:1", NOW_MS + 20 * DAY_MS)]),
    case("certificates", "fail", "expires in 36 h", RENEW_NEXT,
         certificates=[Certificate("a:1", NOW_MS + 3 * DAY_MS // 2)]),
    case("certificates", "fail", "expired 4 days ago", RENEW_NEXT,
         certificates=[Certificate("a:1", NOW_MS - 4 * DAY_MS, "certificate has expired")]),
    case("certificates", "fail", "Hostname mismatch", "cafile",
         certificates=[Certificate("a:1", NOW_MS + 300 * DAY_MS, "Hostname mismatch")]),
    case("certificates", "warn", "could not be read", "openssl",
         certificates=[Certificate("a:1", None)]),
    case("permissions", "ok", "on 3 topics", settings=settings(), topics=TOPICS),
    case("permissions", "ok", "does not say", settings=settings(),
         topics=[topic(operations=frozenset())]),
    case("permissions", "ok", "no topic is there", settings=settings(), topics=[]),
    case("permissions", "ok", "on 2 topics", settings=settings(), topics=[
        topic(RAW, operations=ALL - {"WRITE"}), topic(BREACHES, operations=ALL - {"READ"})]),
    case("permissions", "ok", "on 1 topic", settings=settings(kafka={"computation": 2}),
         topics=[topic("cc.r2.kpi.volume.v1", operations=ALL - {"READ"})]),
    case("permissions", "fail", "lacks WRITE on 1, such as cc.events.contact.v1", "kafka-acls.sh",
         settings=settings(), topics=[topic(operations=ALL - {"WRITE"}), topic(RAW)]),
    case("clock", "ok", "within 45 ms", clocks=[Clock(1, -3.0, 45.0)]),
    case("clock", "warn", "broker 2 is 5 s ahead of", "NTP",
         clocks=[Clock(1, 0, 9), Clock(2, 5_000, 5_040)]),
    case("clock", "warn", "broker 1 is 2 s behind", "NTP", clocks=[Clock(1, -2_040, -2_000)]),
    case("clock", "warn", "it is not ahead", "doctor --only clock", clocks=[Clock(1, -90_000)]),
    case("clock", "fail", "61 s ahead", "NTP", clocks=[Clock(1, 61_000)]),
    case("topics", "ok", "1 topic, as", cluster=cluster(), specs=[spec()], drift=[]),
    case("topics", "warn", "retention.ms -1, needs 1000", APPLY, cluster=cluster(), specs=[],
         drift=[KEPT]),
    case("topics", "warn", "replication 1, needs 3", "reassign", cluster=cluster(), specs=[],
         drift=[COPIES]),
    case("topics", "fail", "cleanup.policy compact, needs delete", APPLY, cluster=cluster(),
         specs=[], drift=[KEPT, ALTERED]),
    case("topics", "fail", f"missing: {RAW}", APPLY, cluster=cluster(), specs=[], drift=[MISSING]),
    case("topics", "fail", "or this user may not see them", "kafka-acls.sh",
         cluster=cluster(operations=frozenset()), specs=[], drift=[MISSING]),
    case("topics", "fail", "may not see the settings of 1 topic", "kafka-acls.sh",
         cluster=cluster(), specs=[], drift=[HIDDEN]),
    case("topics", "fail", "partitions 2, needs 4", MIGRATION, cluster=cluster(), specs=[],
         drift=[ALTERED, COUNT]),
    case("partitions", "ok", "4 in each of the 2", settings=settings(),
         specs=[spec(), spec(RAW)], topics=TOPICS),
    case("partitions", "fail", f"2 topics of 4 partitions, but {RAW} 8", MIGRATION,
         settings=settings(), specs=[spec(), spec(RAW), spec(CHANGELOG)],
         topics=[topic(RAW, 8), topic(), topic(CHANGELOG)]),
    case("partitions", "fail", "all have 8, kafka.partitions is 4", "set kafka.partitions = 8",
         settings=settings(), specs=[spec(), spec(RAW)], topics=[topic(RAW, 8), topic(count=8)]),
    case("replicas", "ok", "1 copy, 1 broker", settings=settings(), cluster=cluster(),
         specs=[spec()], topics=[topic()]),
    case("replicas", "ok", "3 copies, 3 brokers",
         settings=settings(kafka={"replication": 3, **AWAY}), cluster=cluster(3),
         specs=[spec(least=2)], topics=[topic(copies=3)]),
    case("replicas", "warn", "under-replicated: 1 partition", "brokers",
         settings=settings(kafka={"replication": 3}), cluster=cluster(3), specs=[spec(least=2)],
         topics=[with_partition(topic(copies=3), in_sync=[1, 2])]),
    case("replicas", "warn", "one copy of everything", "replication = 3",
         settings=settings(kafka=AWAY), cluster=cluster(3), specs=[], topics=[topic()]),
    case("replicas", "warn", "__transaction_state", "kafka-reassign",
         settings=settings(kafka={"replication": 3}), cluster=cluster(3), specs=[],
         topics=[topic("__transaction_state", internal=True)]),
    case("replicas", "fail", "kafka.replication is 3, with 2 brokers", "at most 2",
         settings=settings(kafka={"replication": 3}), cluster=cluster(2), specs=[], topics=[]),
    case("replicas", "fail", "no leader: cc.events.contact.v1[0]", "start the brokers",
         settings=settings(), cluster=cluster(), specs=[spec()],
         topics=[with_partition(topic(), leader=-1, in_sync=[])]),
    case("replicas", "fail", "writes are refused: cc.events.contact.v1[0]", "start the brokers",
         settings=settings(kafka={"replication": 3}), cluster=cluster(3), specs=[spec(least=2)],
         topics=[with_partition(topic(copies=3), in_sync=[1])]),
    case("changelogs", "ok", "2.0 MiB, at most 1,000 records", stages=STAGES,
         sizes={(CHANGELOG, 0): 2 * 1024**2}, spans={(CHANGELOG, 0): Span(0, 1_000, 1_000)}),
    case("changelogs", "warn", "reads all of contact-streams-contacts-changelog[0] 600.0 MiB",
         "log cleaner", stages=STAGES, sizes={(CHANGELOG, 0): 600 * 1024**2},
         spans={(CHANGELOG, 0): Span(0, 1_000, 1_000)}),
    case("changelogs", "warn", "may not ask", "DESCRIBE", stages=STAGES, sizes={},
         spans={(CHANGELOG, 0): Span(0, 1, 1)}),
    case("transactions", "ok", "none stays open", open_ms={}),
    case("transactions", "ok", "for 200 ms", open_ms={(EVENTS, 0): 200}),
    case("transactions", "warn", "readers wait", "doctor", open_ms={(EVENTS, 0): 61_000}),
    case("transactions", "fail", "for ever", "abort", open_ms={(EVENTS, 0): 3_600_000}),
    case("targets", "ok", "none are set", settings=settings(), specs=[], topics=[]),
    case("targets", "ok", "1 target; breaches go to", settings=GOALS, specs=[spec(BREACHES)],
         topics=[topic(BREACHES)]),
    case("targets", "fail", "no topic cc.breaches.v1", APPLY, settings=GOALS,
         specs=[spec(BREACHES)], topics=[]),
    case("group", "ok", "stable, 1 member", group=STABLE, commits={}),
    case("group", "warn", "no worker has ever worked", START, group=NOBODY, commits={}),
    case("group", "warn", "PreparingRebalance", "in a minute",
         group=replace(STABLE, state="PreparingRebalance"), commits={}),
    case("group", "fail", "no members", START, group=NOBODY, commits={(RAW, 0): Commit(4)}),
    case("members", "ok", "1 member for 4 partitions, no static ids", group=STABLE),
    case("members", "ok", "each with a static id",
         group=replace(STABLE, members=[MEMBER._replace(instance_id="w-1")])),
    case("members", "warn", "1 member without partitions", "kafka.partitions",
         group=replace(STABLE, members=[MEMBER, Member("", frozenset())])),
    case("members", "warn", "1 of 2 members with a static id", "kafka.instance_id",
         group=replace(STABLE, members=[Member("w", EVERY), Member("", EVERY)])),
    case("members", "fail", f"nobody reads 4 partitions of {RAW}", "ingest.sources",
         group=replace(STABLE, members=[Member("", frozenset(a for a in EVERY if a[0] != RAW))])),
    case("lag", "ok", "unread: ingest 3, contacts 0 (or up to 256 more in a partition)",
         group=STABLE, behind={(RAW, 0): 3}, unread_ms={(RAW, 0): 500}),
    case("lag", "ok", "more in a partition)|", group=STABLE, behind={(RAW, 0): 3, (RAW, 1): 4},
         unread_ms={(RAW, 0): 500, (RAW, 1): 500}),
    case("lag", "warn", f"{RAW}[0] waits for 90 s", "scaling out",
         group=STABLE, behind={(RAW, 0): 3}, unread_ms={(RAW, 0): 90_000}),
    case("lag", "warn", "ingest 3, contacts 0; ", START, group=NOBODY, behind={(RAW, 0): 3},
         unread_ms={(RAW, 0): 500}),
    case("lag", "fail", "waits for 35 min and is deleted after 60 min", "add workers",
         group=STABLE, behind={(RAW, 0): 3}, unread_ms={(RAW, 0): 35 * MINUTE_MS}),
    case("losses", "ok", "1 commit, all within", spans={(EVENTS, 0): Span(0, 9, 9)},
         commits={(EVENTS, 0): Commit(9, NOTE)}),
    case("losses", "fail", "4 records deleted unread", "docs/doctor.md",
         spans={(EVENTS, 0): Span(9, 20, 20)}, commits={(EVENTS, 0): Commit(5, NOTE)}),
    case("losses", "fail", "ends at 4, before", "docs/doctor.md",
         spans={(EVENTS, 0): Span(0, 4, 4)}, commits={(EVENTS, 0): Commit(5, NOTE)}),
    case("losses", "fail", "deleted and made again", "docs/doctor.md",
         spans={(EVENTS, 0): Span(0, 9, 9)}, commits={(EVENTS, 0): Commit(5, "old older")}),
    case("losses", "fail", f"head of a changelog was deleted: {CHANGELOG}[0]", "docs/doctor.md",
         spans={(CHANGELOG, 0): Span(3, 9, 9)}, commits={}),
    case("dead_letters", "ok", "none", dead_letters=DeadLetters(0)),
    case("dead_letters", "warn", "at most 1,200, the oldest of 30 min ago", "dlq list",
         dead_letters=DeadLetters(1_200, NOW_MS - 30 * MINUTE_MS)),
    case("metrics", "ok", "http://w: running 1.0", workers=[WELL], named=True),
    case("metrics", "warn", "recovering", "in a minute", named=True,
         workers=[WELL, replace(WELL, state="recovering")]),
    case("metrics", "warn", "HTTP 401", "--metrics", named=False,
         workers=[Worker("http://w", "HTTP 401 Unauthorized")]),
    case("metrics", "fail", "does not answer", "log", named=True,
         workers=[WELL, Worker("http://w", "does not answer")]),
    case("results", "ok", "stand 900 ms behind, on 4 of 4", workers=[WELL], settings=settings()),
    case("results", "ok", "stand 900 ms behind", settings=settings(),
         workers=[replace(WELL, marks_ms={"board/0": 0.0}), WELL]),
    case("results", "warn", "on 2 of 4", "--metrics", settings=settings(),
         workers=[replace(WELL, marks_ms={"board/0": NOW_MS, "board/1": NOW_MS})]),
    case("results", "warn", "stand 90 s behind", "--only lag", settings=settings(),
         workers=[replace(WELL, marks_ms={**WELL.marks_ms, "board/0": NOW_MS - 90_000})]),
    case("results", "fail", "stand 10 min behind", "--only lag", settings=settings(),
         workers=[replace(WELL, marks_ms={**WELL.marks_ms, "board/0": NOW_MS - 600_000})]),
    case("results", "ok", "no ticks", settings=settings(processing={"tick_ms": 0}),
         workers=[replace(WELL, marks_ms={"board/0": 0.0})]),
    case("counters", "ok", "no events rejected", workers=[WELL]),
    case("counters", "ok", "1 of 1,000 events rejected by ingest", workers=[
        replace(WELL, events_read={"ingest": 1_000}, events_rejected={"ingest": 1, "staff": 0})]),
    # A share of what that stage has read, whatever the others have.
    case("counters", "warn", "15 of 1,000 events rejected by ingest", "dlq list", workers=[WELL,
        replace(WELL, events_read={"ingest": 1_000, "board": 9_000}, events_rejected={"ingest": 15})
    ]),
    case("counters", "warn", "7 series left out", "label_sets_max",
         workers=[replace(WELL, series_dropped=7)]),
    case("counters", "fail", "3 records lost", "docs/doctor.md",
         workers=[replace(WELL, records_lost=3)]),
]  # fmt: skip
COMMON = {
    "now_ms": NOW_MS,
    "settings": settings(),
    "stages": STAGES,
    "topics": TOPICS,
    "keep_ms": {RAW: 60 * MINUTE_MS},
}


@pytest.mark.parametrize("case", CASES)
def test_a_check_tells_what_was_found_and_what_to_do(case: Case) -> None:
    look = SimpleNamespace(**{**COMMON, **case.seen})
    (finding,) = examine(chosen(only=[case.check]), look, Unmade())
    assert (finding.check, finding.status) == (case.check, case.status), finding
    assert case.found in f"|{finding.found}|"
    assert case.next in finding.next
    assert bool(finding.next) == (finding.status != "ok"), "what is not well has a next command"


def test_lag_tells_a_stage_once_and_only_partitions_that_are_late() -> None:
    other = "cc.raw.zendesk.v1"
    behind = {(RAW, 0): 3, (RAW, 1): 1, (other, 0): 4}
    seen = {"group": STABLE, "behind": behind, "stages": [*STAGES, Stage("ingest", other)]}
    for unread_ms, late in [
        (dict.fromkeys(behind, 500), ""),
        ({(RAW, 0): 90_000, (other, 0): 500}, f"; {RAW}[0] waits for 90 s"),
    ]:
        look = SimpleNamespace(**{**COMMON, **seen, "unread_ms": unread_ms})
        (finding,) = examine(chosen(only=["lag"]), look, Unmade())
        told = "unread: ingest 8, contacts 0 (or up to 256 more in a partition)"
        assert finding.found == told + late


def test_every_check_has_a_case_of_each_kind_it_knows() -> None:
    seen = {(one.values[0].check, one.values[0].status) for one in CASES}
    assert {name for name, _ in seen} == set(NAMES)
    assert {name for name, status in seen if status == "ok"} == set(NAMES)
    never_bad = {name for name in NAMES if not seen & {(name, "warn"), (name, "fail")}}
    assert never_bad == {"settings"}, "its failure is an error: below"


@pytest.mark.parametrize(
    ("check", "seen"),
    [
        ("certificates", {"certificates": []}),
        ("partitions", {"specs": [], "topics": []}),
        ("changelogs", {"sizes": {}, "spans": {}}),
        ("members", {"group": NOBODY}),
        ("clock", {"clocks": []}),
        ("metrics", {"workers": [], "named": False}),
        ("results", {"workers": [Worker("u", "x")]}),
        ("counters", {"workers": [Worker("u", "x")]}),
    ],
)
def test_where_there_is_nothing_to_judge_nothing_is_said(check: str, seen: dict[str, Any]) -> None:
    look = SimpleNamespace(**{**COMMON, **seen})
    assert list(examine(chosen(only=[check]), look, Unmade())) == []


# -- what goes wrong while looking


class Breaking:
    """Whatever is looked at raises this."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        raise self._error


def refused() -> Exception:
    error = TopicsError("the cluster refused a request about topics", "why")
    error.__cause__ = GroupAuthorizationFailedError("GROUP/x")
    return error


@pytest.mark.parametrize(
    ("make", "found", "next"),
    [
        (lambda: GroupAuthorizationFailedError("GROUP/x"),
         "not allowed: GroupAuthorizationFailedError: GROUP/x", "kafka-acls.sh"),
        (refused, "not allowed: GroupAuthorizationFailedError: GROUP/x", "kafka-acls.sh"),
        (lambda: KafkaTimeoutError("gone"), "no answer in time: KafkaTimeoutError: gone",
         "--timeout"),
        (lambda: NodeNotReadyError(3), "a broker does not answer: NodeNotReadyError: 3",
         "--only brokers"),
        (lambda: ZeroDivisionError("x\ny"), "could not be checked: ZeroDivisionError: x",
         "--only kafka"),
    ],
)  # fmt: skip
def test_a_check_that_breaks_says_so_in_a_line(
    make: Callable[[], Exception], found: str, next: str
) -> None:
    (first, second) = examine(chosen(only=["group", "lag"]), Breaking(make()), Unmade())
    assert (first.status, first.found) == ("fail", found)
    assert next in first.next
    assert (second.status, second.found) == ("fail", "as group")


class Dying(Look):
    """The first two answers come from a broker that has just died."""

    asked = 0

    @seen
    def answer(self) -> int:
        self.asked += 1
        if self.asked < 3:
            raise KafkaConnectionError("ECONNREFUSED")
        return self.asked

    @seen
    def never(self) -> int:
        self.asked += 1
        raise NodeNotReadyError(3)


def test_another_broker_is_asked_when_one_is_gone_and_each_thing_looked_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streams.doctor.look.AGAIN_SECONDS", 0)
    look = Dying()
    assert (look.answer, look.answer) == (3, 3)
    for _ in range(2):
        with pytest.raises(NodeNotReadyError):
            _ = look.never
    assert look.asked == 4


def test_wrong_settings_are_told_by_one_check_and_stop_the_others() -> None:
    unmade = Unmade()
    error = SettingsError(["kafka.partitions = 0: too few"])
    (finding,) = examine(CHECKS, Breaking(error), unmade)
    assert (finding.check, finding.status) == ("settings", "fail")
    assert "kafka.partitions = 0: too few" in finding.found
    assert finding.next == "contact-streams validate"
    assert (unmade.settings, unmade.kafka) == (len(CHECKS) - 1, 0)


def test_without_kafka_checks_are_counted_as_not_made() -> None:
    unmade = Unmade()
    look = Breaking(BrokerError("cannot reach Kafka"))
    assert list(examine(chosen(only=["group", "lag"]), look, unmade)) == []
    assert unmade.kafka == 2


def test_checks_can_be_chosen() -> None:
    assert [check.name for check in chosen(quick=True)] == [
        "settings", "kafka", "topics", "partitions", "group",
    ]  # fmt: skip
    assert [check.name for check in chosen(only=["lag"], quick=True)] == ["lag"]
    assert "lag" not in [check.name for check in chosen(skip=["lag"])]


def test_every_check_is_explained() -> None:
    text = (Path(__file__).parents[2] / "docs" / "doctor.md").read_text("utf-8")
    assert [name for name in NAMES if f"| `{name}` |" not in text] == []
