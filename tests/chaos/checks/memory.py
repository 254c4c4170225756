"""Memory stays within what is kept: so much to begin with, and so much for each thing kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.chaos.checks.violation import Violation

Sample = tuple[float, int, int]
"""(Seconds from the start, pid, resident bytes)."""
START_BYTES = 400 * 1024 * 1024
"""A worker that knows nothing yet, and what it reads and writes at a time."""
ENTITY_BYTES = 4 * 1024
"""Of a contact, agent, customer or cell, and once more while a restore prepares it."""
EVENT_BYTES = 1024
"""Of an event that an entity keeps: as read, and as understood."""


def memory(samples: Sequence[Sample], entities: int, events: int) -> Iterator[Violation]:
    """Each worker's largest sample against the bound for one that owns all there is."""
    bound = START_BYTES + ENTITY_BYTES * entities + EVENT_BYTES * events
    largest: dict[int, int] = {}
    for _, pid, size in samples:
        largest[pid] = max(size, largest.get(pid, 0))
    for pid, size in largest.items():
        if size > bound:
            kept = f"{entities} entities of {events} events"
            detail = f"pid {pid}: {size >> 20} MiB for {kept}, at most {bound >> 20}"
            yield Violation("memory.unbounded", detail)
