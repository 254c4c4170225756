"""A queue in front of agents, simulated in a few lines, and told as a queue_log.

Calls come as a Poisson process, are served in order by whoever has been free for longest, and give
up when their patience ends.  In the order of arrival a call waits until the earliest agent is free:
callers who give up never take one, so nothing else needs to be known.

Times are whole milliseconds, as the lines are.  Seeded: the same queue and seed, the same calls.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heapify, heapreplace
from math import inf
from random import Random
from typing import NamedTuple

from tests.erlang import Queue

Timed = tuple[int, int, str]
"""Time in ms, what comes first at one time, and the line without its time."""


class Call(NamedTuple):
    """``talk_ms`` None: the caller gave up after ``wait_ms``."""

    entered_ms: int
    wait_ms: int
    agent: int
    talk_ms: int | None

    @property
    def gone_ms(self) -> int:
        return self.entered_ms + self.wait_ms + (self.talk_ms or 0)


def simulate(queue: Queue, count: int, seed: int, start_ms: int) -> list[Call]:
    """So many calls, in the order of arrival."""
    random = Random(seed)
    free = [(start_ms, agent) for agent in range(queue.agents)]
    heapify(free)
    at, calls = float(start_ms), []
    for _ in range(count):
        at += random.expovariate(queue.arrivals) * 1000
        talk_ms = round(random.expovariate(queue.services) * 1000)
        patience_ms = inf
        if queue.patience_s is not None:
            patience_ms = round(random.expovariate(1 / queue.patience_s) * 1000)
        entered_ms = round(at)
        free_ms, agent = free[0]
        wait_ms = max(0, free_ms - entered_ms)
        if wait_ms <= patience_ms:
            calls.append(Call(entered_ms, wait_ms, agent, talk_ms))
            heapreplace(free, (calls[-1].gone_ms, agent))
        else:
            calls.append(Call(entered_ms, int(patience_ms), agent, None))
    return calls


def log_lines(calls: Sequence[Call], name: str, agents: int) -> list[bytes]:
    """Everything that happened in the queue called ``name``, in order of time."""
    began, ended = calls[0].entered_ms, max(call.gone_ms for call in calls)
    timed = [(began, 0, f"NONE|{name}|{name}-{agent}|ADDMEMBER|") for agent in range(agents)]
    timed += [(ended, 9, f"NONE|{name}|{name}-{agent}|REMOVEMEMBER|") for agent in range(agents)]
    for number, call in enumerate(calls):
        timed += _told(call, f"{name}.{number}", name)
    return [f"{at // 1000}.{at % 1000:03}|{text}".encode() for at, _, text in sorted(timed)]


def _told(call: Call, number: str, name: str) -> Iterator[Timed]:
    wait, agent = f"{call.wait_ms / 1000:.3f}", f"{name}-{call.agent}"
    yield call.entered_ms, 2, f"{number}|{name}|NONE|ENTERQUEUE|||1"
    if call.talk_ms is None:
        yield call.gone_ms, 4, f"{number}|{name}|NONE|ABANDON|1|1|{wait}"
        return
    talk = f"{call.talk_ms / 1000:.3f}"
    yield call.gone_ms - call.talk_ms, 3, f"{number}|{name}|{agent}|CONNECT|{wait}|x|0"
    # Whoever is free answers the next call in the same millisecond.
    first = 1 if call.talk_ms else 5
    yield call.gone_ms, first, f"{number}|{name}|{agent}|COMPLETECALLER|{wait}|{talk}|1"
