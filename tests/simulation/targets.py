"""Targets in the simulated contact centre, and what must be true of their events in the end.

The oracle is a board that read each partition of the partials once, record by record, and never
crashed; ``tests.stages.test_target_laws`` checks such a board against something dumber.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from streams.core.kpi import Kpi
from streams.core.source import Record
from streams.core.target import Limits, Since, Target
from streams.stages.board import BoardStage
from streams.stages.target_wire import STREAM

Events = dict[bytes, list[bytes]]
"""Key -> what is said of it, in order."""


def targets(kpis: Iterable[Kpi]) -> tuple[Target, ...]:
    """A level, a window that is judged when it is final, and one that must fill up."""
    known = {kpi.name: kpi for kpi in kpis}

    def target(name: str, window: str, value: int, clear: int, **more: Any) -> Target:
        dated = (Since(0, Limits(value, clear, **more)),)
        return Target(name, known[name], window, name == "contacts_offered", dated)

    return (
        target("contacts_waiting", "now", 1, 0, warning=0),
        target("contacts_open", "now" if known["contacts_open"].windows == ("now",) else
               "quarter_hour", 0, 0),
        target("contacts_offered", "quarter_hour", 2, 3, breach_after=2),
        target("contacts_abandoned", "quarter_hour", 0, 0),
    )  # fmt: skip


def expected(make: Callable[[], BoardStage], log: Sequence[Record]) -> Events:
    """What a board says that is given one record at a time and never dies."""
    board = make()
    board.start(0)
    said: Events = {}
    for record in log:
        board.absorb([record])
        for output in board.seal(record.offset + 1).results:
            if output.stream == STREAM:
                said.setdefault(output.key or b"", []).append(output.value or b"")
    return said


def differences(seen: Iterable[Record], wanted: Events) -> Iterator[str]:
    """Each event is seen, in its order and with one content; those that come again aside.  The
    last one seen is the last there is."""
    once: Events = {}
    last: dict[bytes, bytes] = {}
    for record in seen:
        key, value = record.key or b"", record.value or b""
        last[key] = value
        if value not in once.setdefault(key, []):
            once[key].append(value)
    for key in sorted(once.keys() | wanted.keys()):
        if once.get(key) != wanted.get(key):
            yield f"events of {key!r}: {once.get(key)}, expected {wanted.get(key)}"
        elif last[key] != wanted[key][-1]:
            yield f"events of {key!r} end with {last[key]!r}"
