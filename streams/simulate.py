"""A contact centre that exists only in a seed, told as an Asterisk queue_log.

Calls arrive as a Poisson process and wait in FIFO queues until an agent answers or their patience
ends.  Patience is exponential and talk log-normal, as measured in real centres.  Agents serve one
or two queues, sometimes let it ring, wrap up and take breaks.  A few percent of the visits end
oddly (a key, an operator, a full queue), some calls are transferred into another queue, and some
callers come back to the queue they left: what a processor gets wrong if it joins on call ids.

Pure: the same random numbers, the same centre and the same start give the same lines.  Nothing
here looks like a telephone number.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from math import ceil, exp, log
from random import Random

HOUR_MS = 3_600_000
LINES_PER_CALL = 3.3
"""What a call comes to, on average and with the agents' lines; turns lines a second into calls."""
OCCUPANCY = 0.85
NO_ANSWER_MS = 15_000
REST_MS = 20_000
QUEUE_LENGTH_MAX = 60
HOPS_MAX = 3
BREAKS = ("break", "lunch", "meeting", "training")


@dataclass(frozen=True)
class Centre:
    """What the centre is like; shares are between 0 and 1, means and medians in seconds.

    ``agents`` 0 takes as many as keep them busy 85 % of the time.  Raises ValueError for what
    cannot be a centre.
    """

    queues: tuple[str, ...] = ("sales", "support", "billing")
    calls_per_hour: float = 600.0
    agents: int = 0
    patience_mean_s: float = 150.0
    talk_median_s: float = 150.0
    talk_sigma: float = 0.8
    wrap_up_mean_s: float = 20.0
    queue_limit_s: float = 900.0
    transfer_share: float = 0.06
    no_answer_share: float = 0.05
    odd_share: float = 0.04
    break_share: float = 0.02

    def __post_init__(self) -> None:
        if not self.queues or len(set(self.queues)) < len(self.queues):
            raise ValueError("a centre has at least one queue, each with a name of its own")
        if any(not name or set(name) & set("|\r\n") for name in self.queues):
            raise ValueError("a queue's name is not empty and has no | in it")
        if not self.calls_per_hour > 0:
            raise ValueError("calls arrive at a rate above 0")
        if self.agents < 0:
            raise ValueError("there cannot be fewer than 0 agents")

    @property
    def staff(self) -> int:
        """How many agents there are: at least one for each queue."""
        talk_mean_s = self.talk_median_s * exp(self.talk_sigma**2 / 2)
        load = self.calls_per_hour / 3600 * (talk_mean_s + self.wrap_up_mean_s)
        return max(self.agents or ceil(load / OCCUPANCY), len(self.queues))


def calls(
    random: Random, centre: Centre, start_ms: int, until_ms: int | None = None
) -> Iterator[tuple[int, str]]:
    """(time in ms, line without its end), in order of time, from ``start_ms`` on.

    Nobody calls from ``until_ms`` on; the calls that are there are brought to their end and the
    agents leave.  Without it there is no end.

    >>> first = next(calls(Random(1), Centre(), 1_791_183_600_000))
    >>> first
    (1791183600000, '1791183600|NONE|NONE|NONE|QUEUESTART|')
    """
    floor = _Floor(random, centre, start_ms, until_ms)
    floor.open()
    while floor.lines or floor.agenda:
        yield from floor.take_lines()
        if floor.agenda:
            floor.now_ms, _, action = heappop(floor.agenda)
            action()
    floor.close()
    yield from floor.take_lines()


class _Agent:
    """Who answers: free, being rung, or busy with something."""

    __slots__ = ("name", "queues", "rung_ms")

    def __init__(self, name: str, queues: tuple[str, ...]) -> None:
        self.name = name
        self.queues = queues
        self.rung_ms = 0


class _Visit:
    """One stay of a call in one queue."""

    __slots__ = ("agent", "call", "entered_ms", "hops", "position", "queue", "waiting")

    def __init__(self, call: str, queue: str, entered_ms: int, position: int, hops: int) -> None:
        self.call = call
        self.queue = queue
        self.entered_ms = entered_ms
        self.position = position
        self.hops = hops
        self.waiting = True
        self.agent: _Agent | None = None


class _Floor:
    """Everything that goes on in the centre, and what is still to come."""

    def __init__(self, random: Random, centre: Centre, start_ms: int, until_ms: int | None) -> None:
        self.now_ms = start_ms
        self.lines: list[tuple[int, str]] = []
        self.agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._random = random
        self._centre = centre
        self._until_ms = until_ms
        self._planned = 0
        self._channels = 0
        self._agents = [self._hired(number) for number in range(centre.staff)]
        self._unrung: dict[str, deque[_Visit]] = {name: deque() for name in centre.queues}
        """Waiting and not being offered to anybody, the longest wait first."""
        self._length = dict.fromkeys(centre.queues, 0)
        self._idle: dict[_Agent, None] = {}
        """Free agents, the longest idle first."""

    def take_lines(self) -> list[tuple[int, str]]:
        lines, self.lines = self.lines, []
        return lines

    def open(self) -> None:
        self._write("NONE", "NONE", "NONE", "QUEUESTART", "")
        for agent in self._agents:
            for queue in agent.queues:
                self._write("NONE", queue, agent.name, "ADDMEMBER", "")
            self._idle[agent] = None
        self._plan_arrival()

    def close(self) -> None:
        for agent in self._agents:
            for queue in agent.queues:
                self._write("NONE", queue, agent.name, "REMOVEMEMBER", "")

    # -- the caller's side

    def _plan_arrival(self) -> None:
        gap_ms = self._random.expovariate(self._centre.calls_per_hour / HOUR_MS)
        if self._until_ms is None or self.now_ms + gap_ms < self._until_ms:
            self._after(gap_ms, self._arrive)

    def _arrive(self) -> None:
        self._plan_arrival()
        self._enter(self._channel(), self._random.choice(self._centre.queues), 0)

    def _enter(self, call: str, queue: str, hops: int) -> None:
        if self._length[queue] >= QUEUE_LENGTH_MAX:
            self._write(call, queue, "NONE", "FULL", "")
            return
        self._length[queue] += 1
        visit = _Visit(call, queue, self.now_ms, self._length[queue], hops)
        self._write(call, queue, "NONE", "ENTERQUEUE", "", "", visit.position)
        self._plan_leaving(visit)
        self._unrung[queue].append(visit)
        self._find_agent(queue)

    def _plan_leaving(self, visit: _Visit) -> None:
        patience_ms = self._random.expovariate(1 / self._centre.patience_mean_s) * 1000
        limit_ms = self._centre.queue_limit_s * 1000
        if patience_ms > limit_ms:
            self._after(limit_ms, lambda: self._leave(visit, "EXITWITHTIMEOUT"))
        elif self._random.random() < self._centre.odd_share:
            how = self._random.choice(("EXITWITHKEY", "EXITWITHKEY", "WITHDRAW"))
            self._after(patience_ms * self._random.random(), lambda: self._leave(visit, how))
        else:
            self._after(patience_ms, lambda: self._leave(visit, "ABANDON"))

    def _leave(self, visit: _Visit, how: str) -> None:
        if not visit.waiting:
            return
        agent = visit.agent
        if agent is not None:
            rung_ms = self.now_ms - agent.rung_ms
            self._write(visit.call, visit.queue, agent.name, "RINGCANCELED", rung_ms)
        else:
            self._unrung[visit.queue].remove(visit)
        key = ("1",) if how == "EXITWITHKEY" else ()
        params = (*key, visit.position, visit.position, self._waited_s(visit))
        self._write(visit.call, visit.queue, "NONE", how, *params)
        self._dequeue(visit)
        if key and self._random.random() < 0.5:
            # The menu behind the key leads back into the queue.
            self._reenter(visit, visit.queue, 10_000)
        if agent is not None:
            self._free(agent)

    def _reenter(self, visit: _Visit, queue: str, after_ms: int) -> None:
        if visit.hops < HOPS_MAX:
            self._after(after_ms, lambda: self._enter(visit.call, queue, visit.hops + 1))

    # -- the agents' side

    def _find_agent(self, queue: str) -> None:
        agent = next((one for one in self._idle if queue in one.queues), None)
        if agent is not None and self._unrung[queue]:
            self._ring(self._unrung[queue].popleft(), agent)

    def _free(self, agent: _Agent) -> None:
        self._idle[agent] = None
        heads = [self._unrung[queue][0] for queue in agent.queues if self._unrung[queue]]
        if heads:
            oldest = min(heads, key=lambda visit: visit.entered_ms)
            self._ring(self._unrung[oldest.queue].popleft(), agent)

    def _ring(self, visit: _Visit, agent: _Agent) -> None:
        del self._idle[agent]
        visit.agent, agent.rung_ms = agent, self.now_ms
        if self._random.random() < self._centre.no_answer_share:
            self._after(NO_ANSWER_MS, lambda: self._ring_out(visit, agent))
        else:
            ring_ms = 1000 + self._random.random() * 6000
            self._after(ring_ms, lambda: self._connect(visit, agent))

    def _ring_out(self, visit: _Visit, agent: _Agent) -> None:
        if not visit.waiting:
            return
        self._write(visit.call, visit.queue, agent.name, "RINGNOANSWER", NO_ANSWER_MS)
        visit.agent = None
        self._unrung[visit.queue].appendleft(visit)
        self._after(REST_MS, lambda: self._free(agent))
        self._find_agent(visit.queue)

    def _connect(self, visit: _Visit, agent: _Agent) -> None:
        if not visit.waiting:
            return
        wait_s = self._waited_s(visit)
        ring_s = self.now_ms // 1000 - agent.rung_ms // 1000
        params = (wait_s, self._channel(), ring_s)
        self._write(visit.call, visit.queue, agent.name, "CONNECT", *params)
        self._dequeue(visit)
        answered_s = self.now_ms // 1000
        talk_s = self._random.lognormvariate(
            log(self._centre.talk_median_s), self._centre.talk_sigma
        )
        self._after(talk_s * 1000, lambda: self._hang_up(visit, agent, wait_s, answered_s))

    def _hang_up(self, visit: _Visit, agent: _Agent, wait_s: int, answered_s: int) -> None:
        times = (wait_s, self.now_ms // 1000 - answered_s, visit.position)
        others = [queue for queue in self._centre.queues if queue != visit.queue]
        if self._random.random() >= self._centre.transfer_share:
            verb = self._random.choice(("COMPLETECALLER", "COMPLETEAGENT"))
            self._write(visit.call, visit.queue, agent.name, verb, *times)
        elif others and visit.hops < HOPS_MAX and self._random.random() < 0.7:
            queue = self._random.choice(others)
            target = (queue, "queues")
            self._write(visit.call, visit.queue, agent.name, "BLINDTRANSFER", *target, *times)
            self._reenter(visit, queue, 1000)
        else:
            target = ("BRIDGE", f"bridge-{self._random.getrandbits(32):08x}")
            self._write(visit.call, visit.queue, agent.name, "ATTENDEDTRANSFER", *target, *times)
        self._wind_down(agent)

    def _wind_down(self, agent: _Agent) -> None:
        wrap_up_ms = self._random.expovariate(1 / self._centre.wrap_up_mean_s) * 1000
        if self._random.random() < self._centre.break_share:
            self._after(wrap_up_ms, lambda: self._take_break(agent))
        else:
            self._after(wrap_up_ms, lambda: self._free(agent))

    def _take_break(self, agent: _Agent) -> None:
        reason = self._random.choice(BREAKS)
        self._write_pause(agent, "PAUSE", reason)
        length_ms = self._random.uniform(5, 20) * 60_000
        self._after(length_ms, lambda: self._come_back(agent, reason))

    def _come_back(self, agent: _Agent, reason: str) -> None:
        self._write_pause(agent, "UNPAUSE", reason)
        self._free(agent)

    # -- odds and ends

    def _hired(self, number: int) -> _Agent:
        """Every third agent knows a second queue."""
        queues = self._centre.queues
        home = number % len(queues)
        knows = [queues[home]]
        if number % 3 == 2 and len(queues) > 1:
            knows.append(queues[(home + 1) % len(queues)])
        return _Agent(f"Agent/{number + 1:02}", tuple(knows))

    def _after(self, delay_ms: float, action: Callable[[], None]) -> None:
        self._planned += 1
        heappush(self.agenda, (self.now_ms + int(delay_ms), self._planned, action))

    def _waited_s(self, visit: _Visit) -> int:
        # Asterisk subtracts whole seconds.
        return self.now_ms // 1000 - visit.entered_ms // 1000

    def _dequeue(self, visit: _Visit) -> None:
        visit.waiting = False
        self._length[visit.queue] -= 1

    def _channel(self) -> str:
        """A unique id as a PBX with a system name makes them."""
        self._channels += 1
        return f"sim-{self.now_ms // 1000}.{self._channels}"

    def _write_pause(self, agent: _Agent, verb: str, reason: str) -> None:
        self._write("NONE", "NONE", agent.name, f"{verb}ALL", reason)
        for queue in agent.queues:
            self._write("NONE", queue, agent.name, verb, reason)

    def _write(self, call: str, queue: str, agent: str, verb: str, *params: object) -> None:
        fields = (self.now_ms // 1000, call, queue, agent, verb, *params)
        self.lines.append((self.now_ms, "|".join(map(str, fields))))
