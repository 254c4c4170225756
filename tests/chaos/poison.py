"""Records that no stage can use, each with the reason it must be refused for."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import orjson

from tests.chaos.stories import AGENTS, CONTACTS, LOAD_HEADER, RAW, Planned

DAY_MS = 86_400_000
LINE_BYTES_MAX = 64 * 1024
EVENT_BYTES_MAX = 256 * 1024
RECORD_BYTES = 1_000_000
"""The topics take a mebibyte with all that goes around a record."""
Made = tuple[str, bytes | None]
"""(Reason, value)."""


def _clock(at_ms: int) -> str:
    return f"{at_ms // 1000}.{at_ms % 1000:03}"


def _raw(random: Random, number: int, at_ms: int) -> Made:
    clock, call = _clock(at_ms), f"call-bad-{number}"
    return random.choice(
        (
            ("line.malformed", f"no queue_log at all {number}".encode()),
            ("line.malformed", b"\xff\xfe|||%d" % number),
            ("time.malformed", f"yesterday|{call}|sales|NONE|ENTERQUEUE||1|1".encode()),
            ("time.out_of_range", f"5000000000|{call}|sales|NONE|ENTERQUEUE||1|1".encode()),
            ("verb.unknown", f"{clock}|{call}|sales|NONE|NOSUCHVERB|1".encode()),
            ("queue.missing", f"{clock}|{call}||NONE|ENTERQUEUE||1|1".encode()),
            ("call.missing", f"{clock}|NONE|sales|Agent/1|CONNECT|{number % 9}|x|1".encode()),
            ("parameter.malformed", f"{clock}|{call}|sales|Agent/1|CONNECT|soon|x|1".encode()),
        )
    )


def _event(kind: str, name: str) -> Callable[[Random, int, int], Made]:
    def make(random: Random, number: int, at_ms: int) -> Made:
        good = {"type": kind, "id": f"bad-{number}", "source": "desk", "time": at_ms}
        good |= {name: f"bad-{number}", "queue": "inbox"}
        without = {field: value for field, value in good.items() if field != "source"}
        return random.choice(
            (
                ("json.malformed", b'{"type": bad %d' % number),
                ("json.malformed", orjson.dumps(good).replace(b"inbox", b"\xff\xfe")),
                ("event.type_unknown", orjson.dumps({**good, "type": "contact.nonsense"})),
                ("schema.invalid", orjson.dumps(without)),
                ("schema.invalid", orjson.dumps({**good, "queue": number})),
                ("time.out_of_range", orjson.dumps({**good, "time": -1})),
                ("time.out_of_range", orjson.dumps({**good, "time": at_ms * 1000})),
            )
        )

    return make


_MAKERS = {
    RAW: _raw,
    CONTACTS: _event("contact.queued", "contact"),
    AGENTS: _event("agent.not_ready", "agent"),
}


def poison(random: Random, number: int, at_ms: int) -> Planned:
    """Malformed in one of many ways."""
    stream = random.choice(sorted(_MAKERS))
    reason, value = _MAKERS[stream](random, number, at_ms)
    return _planned(at_ms, stream, number, reason, value)


def null(random: Random, number: int, at_ms: int) -> Planned:
    """A key and no value, as compacted topics have them."""
    return _planned(at_ms, random.choice(sorted(_MAKERS)), number, "value.null", None)


def oversized(random: Random, number: int, at_ms: int) -> Planned:
    """A little more than a decoder takes, or nearly as much as the topic takes."""
    stream = random.choice(sorted(_MAKERS))
    least = (LINE_BYTES_MAX if stream == RAW else EVENT_BYTES_MAX) + 1
    size = random.choice((least, RECORD_BYTES))
    value = b"%d " % number
    return _planned(at_ms, stream, number, "size.exceeded", value + b"x" * (size - len(value)))


def future(random: Random, number: int, at_ms: int) -> Planned:
    """An event of a day that has not come: one wrong clock."""
    ahead_ms = random.randrange(1, 3_000) * DAY_MS
    stream, kind, name = random.choice(
        ((CONTACTS, "contact.queued", "contact"), (AGENTS, "agent.not_ready", "agent"))
    )
    told = {"type": kind, "id": f"ahead-{number}", "source": "desk", "time": at_ms + ahead_ms}
    told |= {name: f"ahead-{number}", "queue": "inbox"}
    return _planned(at_ms, stream, number, "time.in_future", orjson.dumps(told))


def _planned(at_ms: int, stream: str, number: int, reason: str, value: bytes | None) -> Planned:
    headers = ((LOAD_HEADER, f"poison:{reason}".encode()),)
    return Planned(at_ms, stream, b"bad-%d" % number, value, headers)
