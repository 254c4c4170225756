"""What the board writes of targets: events as JSON, machines as changelog records.

The key of a machine's record is ``t``, the cut key, NUL and the target's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import orjson

from streams.core.breach import Event, Standing
from streams.core.judging import Kept, Machine, Said
from streams.core.measure import CutKey
from streams.core.result import FINAL, PROVISIONAL
from streams.core.target import BREACHED, MET, WARNING
from streams.core.window import FIXED
from streams.stages.base import Entity, Output
from streams.stages.board_wire import iso, window_json
from streams.stages.keyed import HEAD, tombstone
from streams.stages.wire import cut_bytes

MACHINE = b"t"
STREAM = "breaches"
SEVERITIES = {MET: "none", WARNING: "warning", BREACHED: "critical"}

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(tuple[Standing, list[Event]]).decode

# -- entities


def machine_entity(kept: Kept) -> Entity:
    row: tuple[Standing, Sequence[Event]] = (kept.standing, kept.unsaid)
    return Entity(_key(kept.cut, kept.target), HEAD.pack(kept.version, 0, 0) + _pack(row))


def gone_entity(kept: Kept) -> Entity:
    """The removal of a machine whose target is not in the settings any more."""
    return tombstone(_key(kept.cut, kept.target), kept.version + 1)


def read_machine(key: bytes, version: int, value: bytes) -> Kept:
    """The machine back.  ValueError for bytes that are none of ours."""
    cut, name = key[1:].split(b"\0", 1)
    standing, unsaid = _unpack(value[HEAD.size :])
    return Kept(name.decode(), tuple(orjson.loads(cut)), version, standing, unsaid)


def _key(cut: CutKey, target: str) -> bytes:
    return MACHINE + cut_bytes(cut) + b"\0" + target.encode()


# -- events


def event_output(said: Said, partition: int) -> Output:
    """An event for the breach topic; a target that is no more is a tombstone."""
    key = orjson.dumps((said.target, *said.cut))
    if said.machine is None or said.event is None:
        return Output(STREAM, key, None, partition)
    return Output(STREAM, key, orjson.dumps(_row(said.machine, said.event)), partition)


def _row(machine: Machine, event: Event) -> dict[str, Any]:
    target, sample, limits = machine.target, event.sample, event.limits
    value = sample.value
    assert value is not None, "what has no value makes no event"
    return {
        "target": target.name,
        "kpi": target.kpi.name,
        "key": machine.key,
        "window": window_json(sample.span),
        "event": event.what,
        "state": event.state,
        "severity": SEVERITIES[event.state],
        "since": iso(sample.at_ms),
        "was": event.was,
        "was_since": None if event.was_since_ms < 0 else iso(event.was_since_ms),
        "value": value.value,
        "numerator": value.numerator,
        "denominator": value.denominator,
        "unit": target.kpi.unit,
        "at_least" if target.at_least else "at_most": limits.value,
        "warning": limits.warning,
        "clear": limits.clear,
        "volume_min": limits.volume_min,
        "status": FINAL if sample.span.kind in FIXED else PROVISIONAL,
        "revision": sample.revision,
        "as_of": iso(sample.as_of_ms),
    }
