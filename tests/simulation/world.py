"""A contact centre's workers on an in-memory Kafka, with everything that can go wrong.

The stages, the shard and the owner (``streams.runtime.owner``, its producers' requests one at a
time) are the real ones.  What is played here is what Faust and the machines do: fetching, handing
over partitions, dying, and coming back too late.

Every owned partition has a process of its own, a ``Seat``.  A partition that is taken away leaves
its old seat behind as a *zombie*: it reads and writes on until it is told, or for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from streams import codec
from streams.core import events as ev
from streams.core.kpi import Kpi
from streams.core.measure import QUEUE, Measure
from streams.core.posting import generate_post
from streams.core.shard import Shard
from streams.core.source import Event, Pseudonym, Record, Rejected, Source
from streams.kpis import ALL_KPIS, ALL_MEASURES
from streams.runtime.letters import Letters
from streams.runtime.owner import Owner
from streams.runtime.writing import Target
from streams.stages.base import Stage
from streams.stages.board import BoardStage
from streams.stages.contacts import ContactsStage
from streams.stages.customers import CustomersStage
from streams.stages.ingest import IngestStage
from streams.stages.staff import StaffStage
from tests.builders import T0
from tests.simulation import script
from tests.simulation.kafka import Kafka, Place
from tests.simulation.script import TERMS, Step
from tests.simulation.seat import READS, Part, Seat
from tests.simulation.steps import Plain, Steps
from tests.simulation.targets import targets

WANTED = (
    "contacts_offered", "contacts_open", "contacts_abandoned", "contacts_left_lost",
    "service_level_neg", "talk_time_mean", "contacts_waiting", "agent_state_time_talking",
    "customer_contacts", "repeat_contact_ratio_1d",
)  # fmt: skip
"""KPIs of every shape: counts, a sum that must be 0, ratios, a mean, a level, a time."""
DATED = ("quarter_hour", "day")


def _narrowed(kpi: Kpi) -> Kpi:
    cuts = (QUEUE,) if QUEUE in kpi.cuts else kpi.cuts
    return kpi._replace(cuts=cuts, windows=kpi.windows if kpi.windows == ("now",) else DATED)


KPIS: tuple[Kpi, ...] = tuple(_narrowed(k) for k in ALL_KPIS if k.name in WANTED)
READ = frozenset(name for kpi in KPIS for name in kpi.formula.reads())
MEASURES: tuple[Measure, ...] = tuple(
    m._replace(cuts=(QUEUE,) if QUEUE in m.cuts else m.cuts) for m in ALL_MEASURES if m.name in READ
)
POST = generate_post(MEASURES, TERMS)
TARGETS = targets(KPIS)


@dataclass(frozen=True)
class Rules:
    """How the worker behaves; the defaults are the delivery rules, a mutant changes one of them."""

    owner: type[Owner] = Owner
    shard: type[Shard[Any]] = Shard
    stages: Mapping[str, Callable[..., Stage]] = field(default_factory=dict)
    producer: type[Plain] = Plain
    fenced: bool = True
    commits_checked: bool = True
    ends_on_failure: bool = True
    drops_whole: bool = True
    letters: type[Letters] = Letters
    cleaner: bool = True


@dataclass(frozen=True)
class Plan:
    """What there is: partitions per stage (0: the stage does not run), and the segment size."""

    partitions: Mapping[str, int]
    segment_size: int = 4

    def parts(self) -> list[Part]:
        return [(s, p) for s in READS for p in range(self.partitions.get(s, 0))]


def decode(record: Record, pseudonym: Pseudonym) -> Sequence[Event] | Rejected:
    """A platform whose native payload is our event."""
    event = codec.decode_contact(record.value)
    if isinstance(event, Rejected):
        event = codec.decode_agent(record.value)  # type: ignore[assignment]
    return event if isinstance(event, Rejected) else [event]  # type: ignore[list-item]


SOURCE = Source("simulated", "raw", decode, "events as they are")


class World:
    """The cluster, the script of what happens in the contact centre, and the seats."""

    def __init__(self, plan: Plan, steps: Sequence[Step], rules: Rules | None = None) -> None:
        self.plan = plan
        self.rules = rules or Rules()
        self.kafka = Kafka(T0)
        self.loop = Steps()  # type: ignore[abstract]
        self.parts = plan.parts()
        self.targets = self._targets()
        self.to_come = script.told(steps)[::-1]
        self.owners: dict[Part, Seat] = {}
        self.zombies: dict[Part, list[Seat]] = {part: [] for part in self.parts}
        for part in self.parts:
            self.take(part)

    def _targets(self) -> dict[str, Target]:
        count = self.plan.partitions
        targets = {READS[s]: Target(READS[s], max(1, count.get(s, 0))) for s in READS}
        targets["dlq"] = Target("dlq", 1)
        targets["breaches"] = Target("breaches", 1)
        for kpi in KPIS:
            targets[f"kpi.{kpi.family}"] = Target(f"kpi.{kpi.family}", 1)
        return targets

    def make(self, part: Part) -> Stage:
        name, partition = part
        count = self.plan.partitions
        if name == "ingest":
            return IngestStage(
                partition, source=SOURCE, pseudonym=lambda domain, value: None,
                partitions=count.get("contacts", 1),
                partition_of=lambda key, partitions: sum(key) % partitions,
            )  # fmt: skip
        if name == "board":
            return self.board(partition, self.rules.stages.get(name, BoardStage))
        plain: dict[str, Callable[..., Stage]] = {
            "contacts": ContactsStage, "staff": StaffStage, "customers": CustomersStage,
        }  # fmt: skip
        made = self.rules.stages.get(name, plain[name])
        stage = made(
            partition, terms=TERMS, post=POST, segment_size=self.plan.segment_size,
            board_partitions=count["board"],
        )  # fmt: skip
        if hasattr(stage, "clock"):  # a mutant that reads it
            stage.clock = lambda: self.kafka.now
        return stage

    def board(self, partition: int, made: Callable[..., Any] = BoardStage) -> Any:
        count = self.plan.partitions
        origins = count.get("contacts", 0) + count.get("staff", 0)
        return made(partition, terms=TERMS, kpis=KPIS, origins=origins, targets=TARGETS)

    # -- what happens in the contact centre

    def feed(self, count: int) -> None:
        """The next events happen; a tick goes into every partition of events."""
        for _ in range(min(count, len(self.to_come))):
            now, event = self.to_come.pop()
            self.kafka.now = max(self.kafka.now, now)
            if isinstance(event, ev.Tick):
                self._tick(event)
            else:
                poison = isinstance(event, script.Poison)
                value = None if poison else codec.encode(event)  # type: ignore[arg-type]
                self.kafka.append(self._place_of(event), [(None, value, ())])

    def _place_of(self, event: Any) -> Place:
        raws = self.plan.partitions.get("ingest", 0)
        if raws:
            return "raw", sum(event.id.encode()) % raws
        only_staff = not self.plan.partitions.get("contacts", 0)
        stage = "staff" if isinstance(event, ev.AgentEvent) or only_staff else "contacts"
        return READS[stage], 0

    def _tick(self, tick: ev.Tick) -> None:
        for stage in ("contacts", "staff"):
            for partition in range(self.plan.partitions.get(stage, 0)):
                self.kafka.append((READS[stage], partition), [(None, codec.encode(tick), ())])

    # -- who owns what

    def take(self, part: Part) -> None:
        """Another worker gets the partition; the one before is not told."""
        old = self.owners.get(part)
        if old is not None:
            self.zombies[part].append(old)
        self.owners[part] = Seat(self, part)

    def stay(self, part: Part) -> None:
        """A rebalance after which the partition is where it was: its shard is kept, if it has
        begun."""
        seat = self.owners[part]
        if seat.started and seat.alive and not seat.owner.shard.dead:
            seat.stay()
        else:
            self.take(part)

    def crash(self, part: Part, arrives: int) -> None:
        """kill -9; of what was on its way ``arrives`` requests still reach the broker."""
        self.owners[part].die(arrives)
        self.take(part)

    def back(self, part: Part) -> None:
        """A zombie gets its partition again.  By the rules this is a takeover like any other."""
        zombies = [z for z in self.zombies[part] if z.alive and z.started]
        if self.rules.drops_whole or not zombies:
            self.take(part)
            return
        seat = zombies[-1]
        self.zombies[part].remove(seat)
        self.zombies[part].append(self.owners[part])
        self.owners[part] = seat
        seat.keep()

    def seats(self, part: Part) -> list[Seat]:
        """The owner first, then the zombies."""
        self.zombies[part] = [z for z in self.zombies[part] if z.alive]
        return [self.owners[part], *self.zombies[part]]

    # -- the end

    def heal(self, restart: bool) -> None:
        """No more trouble: the stages work to the end of their logs, in the order of the flow."""
        self.feed(len(self.to_come))
        for part in self.parts:
            if restart:
                self.crash(part, 0)
            while not self.owners[part].work_to_the_end():
                pass  # a write that had failed before ended it; the next owner goes on
        self.kafka.time_out()
