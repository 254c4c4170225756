"""Chatwoot conversations: the JSON bodies of its account and API-inbox webhooks.

* **Contact** is ``<inbox id>-<display id>``: display ids are unique in one account only, and the
  account is not in every body, while inboxes are unique in an installation.  An installation named
  by the header ``source`` prefixes them with its name.
* **Queue** is the inbox, ``inbox-3``; teams and agents are ``team-4`` and ``user-7``, never names.
  A visit begins when the conversation is open (created so, handed over by a bot, reopened), is
  answered by the first public message a person wrote, and ends when the conversation is resolved.
* **Ids** come from the bodies: message id, or (conversation, what happened, ``updated_at``).  The
  delivery id is a new one for each webhook, and two may fire for one event; it is not looked at.
* **Authors**: who counts as a person follows Chatwoot's own ``human_response?``: a user (or an echo
  of the native app), by no automation rule and no campaign.
* **No agent events**: nothing tells presence, and a conversation that is open for days is not work.
* **Privacy**: texts, names and addresses stay behind; the customer is a pseudonym of the number,
  else of the address, else of Chatwoot's id.

Facts: events and bodies from chatwoot/chatwoot ``app/listeners/webhook_listener.rb``,
``app/presenters/conversations/event_data_presenter.rb``, ``app/models/message.rb``,
``public/api/v1/csat_survey``; identity of a status change from users' adapters.

Rejections: ``value.null``, ``size.exceeded``, ``header.invalid``, ``json.malformed``,
``schema.invalid``, ``event.type_missing``, ``contact.missing``, ``queue.missing``,
``message.missing``, ``time.malformed``, ``time.out_of_range``.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streams.core.source import Event, Pseudonym, Record, Rejected, Source
from streams.sources.chatwoot_body import Body
from streams.sources.chatwoot_events import (
    DEFAULT_SOURCE,
    EVENTS,
    Unusable,
    of_body,
)

BODY_BYTES_MAX = 1024 * 1024
"""A message holds up to 150,000 characters, and is in the conversation again."""
SOURCE_CHARS_MAX = 80
"""It is part of ids, which may have 200 characters."""


class Headed(msgspec.Struct, gc=False):
    """Just the event: what is not for us need not look like what we know."""

    event: str | None = None


_head = msgspec.json.Decoder(Headed)
_body = msgspec.json.Decoder(Body)
_BAD_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def decode(record: Record, pseudonym: Pseudonym) -> Sequence[Event] | Rejected:
    """The events of one body, or why it cannot be used.  Never raises."""
    if record.value is None:
        return Rejected("value.null")
    if len(record.value) > BODY_BYTES_MAX:
        return Rejected("size.exceeded", f"{len(record.value)} bytes, at most {BODY_BYTES_MAX}")
    source = _source(record.headers)
    if source is None:
        return Rejected("header.invalid")
    try:
        return _events(record.value, source, pseudonym)
    except Unusable as error:
        return Rejected(*error.args)
    except msgspec.ValidationError:
        return Rejected("schema.invalid")
    except _BAD_JSON:
        return Rejected("json.malformed")


def _source(headers: Sequence[tuple[str, bytes]]) -> str | None:
    """The name of the installation, None if it cannot be used."""
    named = [value for name, value in headers if name == "source"]
    source = named[-1].decode("utf-8", "replace") if named else DEFAULT_SOURCE
    return source if 0 < len(source) <= SOURCE_CHARS_MAX and "\ufffd" not in source else None


def _events(value: bytes, source: str, pseudonym: Pseudonym) -> Sequence[Event]:
    name = _head.decode(value).event
    if not name:
        raise Unusable("event.type_missing")
    events = EVENTS.get(name)
    if events is None:
        return ()
    return events(of_body(_body.decode(value), name, source, pseudonym))


SOURCE = Source(
    name="chatwoot",
    topic="chatwoot",
    decode=decode,
    help="Chatwoot conversations: account and API-inbox webhooks",
)
