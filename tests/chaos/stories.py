"""What happens in the contact centre of a chaos run: stories of contacts and of agents.

A story is a list of ``Planned`` records in the order of their times.  Voice comes as lines of an
Asterisk queue_log, everything else as canonical events.  Each record that begins or ends a visit
says so in the header ``tells``, in words that need no decoder: a count of these headers is what the
KPIs must add up to.
"""

from __future__ import annotations

from random import Random
from typing import Any, NamedTuple

import orjson

RAW, CONTACTS, AGENTS = "raw", "contact-events", "agent-events"
"""Streams the load is written to."""
LOAD_HEADER = "load"
"""What a record is for: ``story``, ``again``, ``restart`` or ``poison:<reason>``."""
TELLS_HEADER = "tells"
"""``offered|queue|channel|visit``, or answered, abandoned, left."""
STORY = (LOAD_HEADER, b"story")
PHONE_PREFIX = "4930170192"
"""How every caller's number begins; it must not be seen behind the raw topics.  So long that no
ratio among the results happens to have these digits."""
VOICE_QUEUES = ("sales", "service", "billing", "returns", "claims", "night desk")
CHANNEL_QUEUES = {
    "chat": ("chat desk", "chat vip"),
    "email": ("inbox",),
    "social": ("social",),
    "ticket": ("backlog",),
    "callback": ("callbacks",),
}
PBXES = ("asterisk", "pbx-b")
NUMBERS, CUSTOMERS, STAFF = 3_000, 2_000, 3_000
LEFT_VERBS = {"EXITWITHTIMEOUT": "timeout", "EXITEMPTY": "empty", "EXITWITHKEY": "key"}
LEFT_OUTCOMES = ("timeout", "overflow", "voicemail", "callback", "withdrawn", "system")


class Planned(NamedTuple):
    """A record that tells what happens at ``due_ms``; ``stream`` is one of the three above."""

    due_ms: int
    stream: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = (STORY,)


def seconds(random: Random, mean: float, most: float) -> int:
    """Some time in ms, at least 1 s."""
    return 1_000 + round(min(random.expovariate(1 / mean), most) * 1_000)


def tells(step: str, queue: str, channel: str, visit: str) -> tuple[tuple[str, bytes], ...]:
    return (STORY, (TELLS_HEADER, f"{step}|{queue}|{channel}|{visit}".encode()))


class Call:
    """A call, as the PBX writes it down."""

    def __init__(self, random: Random, number: int, at_ms: int, shift_ms: int = 0) -> None:
        """``shift_ms`` is taken off all times the PBX writes: its clock, or an old log."""
        self.records: list[Planned] = []
        self._random = random
        self._at_ms = at_ms
        self._shift_ms = shift_ms
        self._pbx = random.choice(PBXES)
        self._name = f"call-{number}"
        self._visit = 0

    def told(self) -> list[Planned]:
        """The whole story: up to three queues, one after the other."""
        self._pass(seconds(self._random, 0.5, 2))
        queue = self._random.choice(VOICE_QUEUES)
        for _ in range(3):
            if not self._in_queue(queue):
                break
            self._pass(1_000)
            queue = self._random.choice(VOICE_QUEUES)
        return self.records

    def _in_queue(self, queue: str) -> bool:
        """One visit; whether another one follows."""
        random, self._visit = self._random, self._visit + 1
        number = f"+{PHONE_PREFIX}{random.randrange(NUMBERS):05}"
        self._line(queue, "NONE", "ENTERQUEUE", "", number, "1", step="offered")
        end = random.random()
        if end < 0.02:
            return False  # nobody ever says how it ended
        wait_ms = self._pass(seconds(random, 8, 40))
        if end < 0.16:
            self._line(queue, "NONE", "ABANDON", "1", "1", wait_ms // 1000, step="abandoned")
            return False
        if end < 0.24:
            return self._exit(queue, wait_ms)
        return self._talk(queue, wait_ms)

    def _exit(self, queue: str, wait_ms: int) -> bool:
        verb = self._random.choice(sorted(LEFT_VERBS))
        key = ("2",) if verb == "EXITWITHKEY" else ()
        self._line(queue, "NONE", verb, *key, "1", "1", wait_ms // 1000, step="left")
        return verb == "EXITWITHTIMEOUT"

    def _talk(self, queue: str, wait_ms: int) -> bool:
        random = self._random
        agent = f"Agent/{random.randrange(STAFF)}"
        if random.random() < 0.1:
            other = f"Agent/{random.randrange(STAFF)}"
            self._line(queue, other, "RINGNOANSWER", 9_000)
        self._line(queue, agent, "CONNECT", wait_ms // 1000, "x.1", "2", step="answered")
        if random.random() < 0.1:
            self._pass(2_000)
            self._line(queue, agent, "CALLERONHOLD")
            self._pass(3_000)
            self._line(queue, agent, "CALLEROFFHOLD")
        talk_ms = self._pass(seconds(random, 12, 40))
        if random.random() < 0.1:
            told = ("100", "sales", wait_ms // 1000, talk_ms // 1000, "1")
            self._line(queue, agent, "BLINDTRANSFER", *told)
            return True
        verb = random.choice(("COMPLETEAGENT", "COMPLETECALLER"))
        self._line(queue, agent, verb, wait_ms // 1000, talk_ms // 1000, "1")
        return False

    def _pass(self, length_ms: int) -> int:
        self._at_ms += length_ms
        return length_ms

    def _line(self, queue: str, agent: str, verb: str, *told: object, step: str = "") -> None:
        time_ms = self._at_ms - self._shift_ms
        clock = f"{time_ms // 1000}.{time_ms % 1000:03}"
        fields = (clock, self._name, queue, agent, verb, *map(str, told))
        headers = (STORY,) if not step else tells(step, queue, "voice", self._seen)
        if self._pbx != PBXES[0]:
            headers = (*headers, ("source", self._pbx.encode()))
        line = "|".join(fields).encode()
        self.records.append(Planned(self._at_ms, RAW, self._name.encode(), line, headers))

    @property
    def _seen(self) -> str:
        return f"{self._name}/{self._visit}"


class Conversation:
    """A chat, a mail thread, a ticket: published by a platform that speaks our vocabulary."""

    def __init__(self, random: Random, number: int, at_ms: int, shift_ms: int = 0) -> None:
        self.records: list[Planned] = []
        self._random = random
        self._at_ms = at_ms
        self._shift_ms = shift_ms
        self._channel = random.choice(sorted(CHANNEL_QUEUES))
        self._name = f"talk-{number}"
        self._customer = f"p1.k1.customer-{random.randrange(CUSTOMERS)}"
        self._visit = 0

    def told(self) -> list[Planned]:
        random = self._random
        self._event("contact.started", customer=self._customer)
        queue = random.choice(CHANNEL_QUEUES[self._channel])
        for _ in range(2):
            self._at_ms += seconds(random, 0.5, 2)
            if not self._in_queue(queue):
                break
        return self.records

    def _in_queue(self, queue: str) -> bool:
        random, self._visit = self._random, self._visit + 1
        self._event("contact.queued", "offered", queue)
        end = random.random()
        if end < 0.02:
            return False
        self._at_ms += seconds(random, 10, 40)
        if end < 0.2:
            outcome = "abandoned" if end < 0.1 else random.choice(LEFT_OUTCOMES)
            step = "abandoned" if end < 0.1 else "left"
            self._event("contact.left_queue", step, queue, outcome=outcome)
            return outcome == "overflow"
        self._handle(queue)
        return False

    def _handle(self, queue: str) -> None:
        random = self._random
        agent = f"agent-{random.randrange(STAFF)}"
        self._event("contact.answered", "answered", queue, agent=agent)
        self._of_agent(agent, "agent.talking", queue)
        for author in ("customer", "agent")[: random.randrange(3)]:
            self._at_ms += seconds(random, 2, 10)
            self._event("contact.message", author=author)
        self._at_ms += seconds(random, 10, 30)
        self._event("contact.handled", queue=queue, agent=agent)
        self._of_agent(agent, "agent.contact_ended", queue)
        if random.random() < 0.2:
            self._at_ms += 1_000
            self._event("contact.rated", survey="csat", score=random.randrange(1, 6))

    def _event(self, kind: str, step: str = "", queue: str = "", **fields: Any) -> None:
        if queue:
            fields["queue"] = queue
        visit = f"{self._name}/{self._visit}"
        headers = tells(step, queue, self._channel, visit) if step else (STORY,)
        fields |= {"contact": self._name, "channel": self._channel}
        self._publish(CONTACTS, self._name, kind, headers, fields)

    def _of_agent(self, agent: str, kind: str, queue: str) -> None:
        fields = {"agent": agent, "contact": self._name, "queue": queue, "channel": self._channel}
        self._publish(AGENTS, agent, kind, (STORY,), fields)

    def _publish(
        self, stream: str, key: str, kind: str, headers: Any, fields: dict[str, Any]
    ) -> None:
        told = {
            "type": kind,
            "id": f"{self._name}-{len(self.records)}",
            "source": "desk",
            "time": self._at_ms - self._shift_ms,
            **fields,
        }
        self.records.append(Planned(self._at_ms, stream, key.encode(), orjson.dumps(told), headers))


def shift(random: Random, number: int, at_ms: int) -> list[Planned]:
    """An agent comes, works, takes a break and goes."""
    agent = random.randrange(STAFF)
    queue = random.choice(VOICE_QUEUES)
    return (_pbx_shift if random.random() < 0.5 else _desk_shift)(
        random, number, at_ms, agent, queue
    )


def _pbx_shift(random: Random, number: int, at_ms: int, agent: int, queue: str) -> list[Planned]:
    name, records = f"Agent/{agent}", list[Planned]()
    for verb, place, more in (
        ("AGENTLOGIN", "NONE", "SIP/1"),
        ("ADDMEMBER", queue, ""),
        ("PAUSE", queue, "lunch"),
        ("UNPAUSE", queue, ""),
        ("REMOVEMEMBER", queue, ""),
        ("AGENTLOGOFF", "NONE", "SIP/1|60"),
    ):
        line = f"{at_ms // 1000}.{at_ms % 1000:03}|shift-{number}|{place}|{name}|{verb}|{more}"
        records.append(Planned(at_ms, RAW, name.encode(), line.encode()))
        at_ms += seconds(random, 8, 30)
    return records


def _desk_shift(random: Random, number: int, at_ms: int, agent: int, queue: str) -> list[Planned]:
    name, records = f"agent-{agent}", list[Planned]()
    for kind, fields in (
        ("agent.logged_in", {}),
        ("agent.joined_queue", {"queue": queue}),
        ("agent.ready", {}),
        ("agent.not_ready", {"reason": "break"}),
        ("agent.ready", {"queue": queue}),
        ("agent.logged_out", {}),
    ):
        told = {"type": kind, "id": f"shift-{number}-{len(records)}", "source": "desk"}
        value = orjson.dumps({**told, "agent": name, "time": at_ms, **fields})
        records.append(Planned(at_ms, AGENTS, name.encode(), value))
        at_ms += seconds(random, 8, 30)
    return records


def restart(at_ms: int) -> Planned:
    """The second PBX starts anew and forgets who was there."""
    line = f"{at_ms // 1000}.{at_ms % 1000:03}|NONE|NONE|NONE|QUEUESTART|".encode()
    headers = ((LOAD_HEADER, b"restart"), ("source", PBXES[1].encode()))
    return Planned(at_ms, RAW, PBXES[1].encode(), line, headers)
