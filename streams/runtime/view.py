"""What a worker says about itself: for /metrics and for whoever supervises it.

Read from another thread than the loop's: everything here is copied in one go or counted up only.
"""

from __future__ import annotations

from collections import Counter
from time import monotonic

from streams.metrics import WorkerView
from streams.runtime.loop import Runtime
from streams.runtime.owner import Owner
from streams.sinks.server import Health
from streams.stages.board import BoardStage
from streams.stages.keyed import SegmentedStage

LOOP_SECONDS_MAX = 30.0
"""A loop that has not turned for this long is stuck."""


def boards(runtime: Runtime) -> list[BoardStage]:
    """The board partitions this worker owns now."""
    stages = [owner.stage for owner in _owners(runtime)]
    return [stage for stage in stages if isinstance(stage, BoardStage)]


def _owners(runtime: Runtime) -> list[Owner]:
    return list(runtime.owners.values())


def worker_view(runtime: Runtime) -> WorkerView:
    """One moment of the worker; counters include the shards it has given up."""
    owners = _owners(runtime)
    ends = runtime.ends
    absorbed = {(o.topic, o.partition): o.absorbed for o in owners if o.absorbed is not None}
    return WorkerView(
        state=_state(runtime),
        loop_idle_ms=int((monotonic() - runtime.turned_at) * 1000),
        rebalances=runtime.assignment.rebalances,
        restore_remaining=_restoring(owners),
        assigned=Counter(o.topic for o in owners),
        lag={at: max(0, ends[at] - taken) for at, taken in absorbed.items() if at in ends},
        absorbed={at: taken - 1 for at, taken in absorbed.items() if taken > 0},
        marks_ms=_marks(owners),
        entities=_entities(owners),
        records_lost=dict(runtime.losses.records),
        **_counts(runtime, owners),  # type: ignore[arg-type]
    )


def _restoring(owners: list[Owner]) -> dict[tuple[str, int], int]:
    """Changelog records up to our sentinel; offsets, so the log's markers count as well."""
    return {
        (owner.changelog, owner.partition): owner.sentinel + 1 - owner.restored_to
        for owner in owners
        if owner.changelog and owner.shard.next is None and not owner.restored
    }


def _entities(owners: list[Owner]) -> Counter[str]:
    """Stage -> what is in memory."""
    kept: Counter[str] = Counter()
    for owner in owners:
        if isinstance(owner.stage, SegmentedStage):
            kept[owner.stage.name] += len(owner.stage)
    return kept


def _state(runtime: Runtime) -> str:
    if runtime.stopping:
        return "stopping"
    if runtime.assignment.restored:
        return "running"
    return "recovering" if runtime.assignment.rebalances else "starting"


def _marks(owners: list[Owner]) -> dict[str, int]:
    """The time of each board partition, where it is known."""
    marks = {
        f"board/{o.partition}": o.stage.mark_ms for o in owners if isinstance(o.stage, BoardStage)
    }
    return {name: mark_ms for name, mark_ms in marks.items() if mark_ms is not None}


def _counts(runtime: Runtime, owners: list[Owner]) -> dict[str, dict[str, int]]:
    """Per stage what was counted, in the fields of ``WorkerView``."""
    total = Counter(runtime.assignment.given_up)
    for owner in owners:
        total.update(owner.counted())
    by_field: dict[str, dict[str, int]] = {}
    for (field, *labels), count in total.items():
        label = labels[0] if len(labels) == 1 else tuple(labels)
        by_field.setdefault(field, {})[label] = count  # type: ignore[index]
    return by_field


def health(runtime: Runtime) -> Health:
    """Live while the loop turns: not being able to reach Kafka is no reason to restart."""
    idle = monotonic() - runtime.turned_at
    state = _state(runtime)
    detail = {
        "state": state,
        "partitions": len(runtime.owners),
        "loop_idle_seconds": round(idle, 1),
    }
    return Health(live=idle < LOOP_SECONDS_MAX, ready=state == "running", detail=detail)
