"""Events as bytes: the only place that encodes and decodes them.

``decode_contact`` and ``decode_agent`` return the event, or a ``Rejected`` with one of these codes:

========================  =================================================================
``value.null``            the record has no value
``size.exceeded``         more than ``EVENT_BYTES_MAX`` bytes
``json.malformed``        not JSON, not UTF-8, or nested deeper than any event is
``event.type_unknown``    ``type`` is missing or names no event of this topic
``time.out_of_range``     a time before 1970 or after 2099: usually a mistake of the unit
``schema.invalid``        a field is missing, of the wrong type or beyond its bounds
========================  =================================================================

The detail names the field and what was expected of it, never what was there: dead letters are
read by more people than customers' data should be.
"""

from __future__ import annotations

import re
from typing import Union

import msgspec

from streams.core.events import (
    AGENT_EVENTS,
    CONTACT_EVENTS,
    AgentEvent,
    ContactEvent,
    Restarted,
    Tick,
)
from streams.core.source import Rejected
from streams.core.vocabulary import TIME_MS_MAX

EVENT_BYTES_MAX = 256 * 1024
"""The largest event has a dozen bounded fields; the rest is room for fields we do not know yet."""

_contact = msgspec.json.Decoder(Union[(*CONTACT_EVENTS, Tick, Restarted)])
_agent = msgspec.json.Decoder(Union[(*AGENT_EVENTS, Tick, Restarted)])
_encoder = msgspec.json.Encoder()

# RecursionError and UnicodeDecodeError pass through msgspec as they are.
_BAD_INPUT = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_PATH = re.compile(r" - at `(\$[^`]*)`$")
_EXPECTED = re.compile(r"Expected `[a-z| ]+`(?: of length)?(?: [<>]=? -?\d+)?(?:, got `[a-z]+`)?")
_MISSING = re.compile(r"Object missing required field `\w+`")
_TIME_BOUNDS = ("Expected `int` >= 0", f"Expected `int` <= {TIME_MS_MAX}")
_TIME_FIELDS = frozenset(("$.time", "$.due", "$.start", "$.end"))


def decode_contact(value: bytes | None) -> ContactEvent | Tick | Restarted | Rejected:
    """The event in a record of the contact topic, or why there is none.  Never raises.

    >>> decode_contact(b'{"type":"system.tick","time":1000}')
    Tick(time=1000)
    >>> decode_contact(b'{"type":"contact.nonsense"}')
    Rejected(reason='event.type_unknown', detail='$.type')
    """
    if value is None or len(value) > EVENT_BYTES_MAX:
        return _unreadable(value)
    try:
        return _contact.decode(value)  # type: ignore[no-any-return]
    except _BAD_INPUT as error:
        return _rejected(error)


def decode_agent(value: bytes | None) -> AgentEvent | Tick | Restarted | Rejected:
    """The event in a record of the agent topic, or why there is none.  Never raises."""
    if value is None or len(value) > EVENT_BYTES_MAX:
        return _unreadable(value)
    try:
        return _agent.decode(value)  # type: ignore[no-any-return]
    except _BAD_INPUT as error:
        return _rejected(error)


def encode(event: ContactEvent | AgentEvent | Tick | Restarted) -> bytes:
    """The event as compact JSON; fields at their default are left out.

    >>> encode(Tick(time=1000))
    b'{"type":"system.tick","time":1000}'
    """
    return _encoder.encode(event)


def _unreadable(value: bytes | None) -> Rejected:
    if value is None:
        return Rejected("value.null")
    return Rejected("size.exceeded", f"{len(value)} bytes, at most {EVENT_BYTES_MAX}")


def _rejected(error: Exception) -> Rejected:
    if not isinstance(error, msgspec.ValidationError):
        return Rejected("json.malformed")
    message = str(error)
    at = _PATH.search(message)
    path = at[1] if at else "$"
    expected = _EXPECTED.match(message) or _MISSING.match(message)
    detail = f"{path}: {expected[0]}" if expected else path
    return Rejected(_reason(path, message), detail)


def _reason(path: str, message: str) -> str:
    if path == "$.type" or message.startswith("Object missing required field `type`"):
        return "event.type_unknown"
    if path in _TIME_FIELDS and message.startswith(_TIME_BOUNDS):
        return "time.out_of_range"
    return "schema.invalid"
