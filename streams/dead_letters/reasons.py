"""Every reason for which something is in the dead letters, and what can be done about it.

A test compares the codes with those that the sources, the codec and the stages give.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

Remedy = Literal["mend", "full", "notice"]
"""``mend``: judged again by today's decoders; ``full``: depends on what a worker holds, which is
full; ``notice``: tells of a sum or a record of ours, which nobody takes twice."""


class Reason(NamedTuple):
    """What it means, and what to do before a replay."""

    means: str
    do: str
    remedy: Remedy = "mend"


_SENDER = "mend the sender; the record itself stays unusable"
_RELEASE = "a release that knows it, then replay"
_SETTINGS = "mend the clock; a greater processing.skew_ms takes what was sent, then replay"
_MISSING = "if the platform is right, a release that does without, then replay"

REASONS = {
    "agent.events_max": Reason("an agent has too many events within 6 hours", _SENDER, "full"),
    "agent.schedule_span": Reason("a schedule ends before it begins, or too far ahead", _SENDER),
    "agent.shifts_max": Reason("a schedule has too many pieces", _SENDER, "full"),
    "agent.missing": Reason("the event needs an agent and names none", _MISSING),
    "call.missing": Reason("the event needs a call and names none", _MISSING),
    "contact.events_max": Reason("a contact has too many events", _SENDER, "full"),
    "contact.missing": Reason("the event needs a contact and names none", _MISSING),
    "customer.contact_old": Reason("a contact 60 days before its customer's latest", "-", "notice"),
    "customer.contacts_max": Reason("a customer has too many contacts", "-", "notice"),
    "cut.keys_max": Reason("a sum of one key too many", "fewer queues, agents or types", "notice"),
    "event.missing": Reason("the payload does not say what happened", _SENDER),
    "event.type_unknown": Reason("a canonical event of no type we know", _RELEASE),
    "form.malformed": Reason("the body is no form", _SENDER),
    "header.invalid": Reason("a header of the record (source, ordinal) is unusable", _SENDER),
    "headers.malformed": Reason("the payload is no block of headers", _SENDER),
    "json.malformed": Reason("not JSON, not UTF-8, or nested too deeply", _SENDER),
    "line.malformed": Reason("a line has too few fields", _SENDER),
    "message.missing": Reason("the event needs a message and names none", _MISSING),
    "parameter.malformed": Reason("a parameter is not what its place asks for", _RELEASE),
    "part.missing": Reason("the conversation comes without the part it tells of", _MISSING),
    "queue.missing": Reason("the event needs a queue and names none", _MISSING),
    "rating.missing": Reason("a rating without a score", _MISSING),
    "rating.unknown": Reason("a rating in words we do not know", _RELEASE),
    "schema.invalid": Reason("a field is of the wrong type or beyond its bounds", _RELEASE),
    "shape.unknown": Reason("the payload is none of the shapes the platform documents", _RELEASE),
    "size.exceeded": Reason("the payload is larger than any of its kind", _SENDER),
    "source.missing": Reason("the installation's name is empty", _SENDER),
    "status.unknown": Reason("a status we do not know", _RELEASE),
    "time.in_future": Reason("dated further ahead of its arrival than skew_ms", _SETTINGS),
    "time.malformed": Reason("the time is not written as the platform documents", _RELEASE),
    "time.missing": Reason("no time", _MISSING),
    "time.out_of_range": Reason("a time before 1970 or after 2099: a wrong unit", _SENDER),
    "topic.missing": Reason("a notification without its topic", _SENDER),
    "value.null": Reason("the record has no value", _SENDER),
    "verb.unknown": Reason("a verb of the queue_log we do not know", _RELEASE),
    "window.dropped": Reason("a sum of a minute older than keep_days", "-", "notice"),
}
"""Code -> what it is."""

NOTICING_STAGES = frozenset(("customers", "board"))
"""They read what other stages made, which make it again when it changes."""


def remedy_of(reason: str, stage: str) -> Remedy:
    """What can be done about a letter; codes that nobody knows (any more) may be mended."""
    if stage in NOTICING_STAGES:
        return "notice"
    known = REASONS.get(reason)
    return known.remedy if known else "mend"


def markdown() -> Iterator[str]:
    """The lines of the table in ``docs/dead-letters.md``."""
    told = {"mend": "if it passes", "full": "no", "notice": "no: a notice"}
    yield "| reason | what it says | what to do | replayed |"
    yield "|---|---|---|---|"
    for code, reason in sorted(REASONS.items()):
        yield f"| `{code}` | {reason.means} | {reason.do} | {told[reason.remedy]} |"
