"""Chatwoot conversations: the JSON bodies of its account and API-inbox webhooks.

* **Contact** is ``<inbox id>-<display id>``: display ids are unique in one account only, and the
  account is not in every body, while inboxes are unique in an installation.  An installation named
  by the header ``source`` prefixes them with its name.
* **No visits**: Chatwoot reports no entry into a queue, no acceptance and no leaving, and a
  conversation that is open for days is not work.  The inbox (``inbox-3``), the team (``team-4``)
  and the agent (``user-7``) come with ``Assigned``; they are never names.
* **Ids** come from the bodies: message id (with the score, for an answer to the survey), or
  (conversation, what happened, ``updated_at``).  The delivery id is a new one for each webhook, and
  two may fire for one event; it is not looked at.
* **Outbound** is a conversation whose ``conversation_created`` shows as its last message one that a
  user or a campaign sent in the second of its creation: both are made in one transaction.
* **Authors**: who counts as a person follows Chatwoot's own ``human_response?``: a user (or an echo
  of the native app), by no automation rule and no campaign.
* **Bots**: a conversation that is ``pending`` is a bot's; from pending to open it is handed over,
  from pending to resolved the bot takes it for solved, as Chatwoot's ``conversation_bot_resolved``.
* **Privacy**: texts, names and addresses stay behind; the customer is a pseudonym of the number,
  else of the address, else of Chatwoot's id.

Facts: events and bodies from chatwoot/chatwoot ``app/listeners/webhook_listener.rb``,
``app/presenters/conversations/event_data_presenter.rb`` (``messages`` is the last one that is no
note and no activity), ``app/models/message.rb`` (``human_response?``, the numbers of types),
``app/models/conversation.rb`` (statuses; a bot's begins pending), ``public/api/v1/csat_survey``,
``app/listeners/reporting_event_listener.rb`` (what a bot resolved).
Which of two webhooks comes first is not defined.

Rejections: ``value.null``, ``size.exceeded``, ``header.invalid``, ``json.malformed``,
``schema.invalid``, ``event.missing``, ``contact.missing``, ``queue.missing``,
``message.missing``, ``time.malformed``, ``time.out_of_range``.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streams.core.source import Event, Pseudonym, Record, Rejected, Source
from streams.sources._reading.body import Unusable, answer
from streams.sources._reading.names import source_named
from streams.sources.chatwoot.body import Body
from streams.sources.chatwoot.events import EVENTS
from streams.sources.chatwoot.happening import DEFAULT_SOURCE, of_body

BODY_BYTES_MAX = 1024 * 1024
"""A message holds up to 150,000 characters, and is in the conversation again."""
SOURCE_CHARS_MAX = 80
"""It is part of ids, which may have 200 characters."""


class Headed(msgspec.Struct, gc=False):
    """Just the event: what is not for us need not look like what we know."""

    event: str | None = None


_head = msgspec.json.Decoder(Headed)
_body = msgspec.json.Decoder(Body)


def decode(record: Record, pseudonym: Pseudonym) -> Sequence[Event] | Rejected:
    """The events of one body, or why it cannot be used.  Never raises."""
    return answer(record, BODY_BYTES_MAX, lambda value: _events(value, record, pseudonym))


def _events(value: bytes, record: Record, pseudonym: Pseudonym) -> Sequence[Event]:
    source = source_named(record.headers, DEFAULT_SOURCE, SOURCE_CHARS_MAX)
    name = _head.decode(value).event
    if not name:
        raise Unusable("event.missing")
    events = EVENTS.get(name)
    return events(of_body(_body.decode(value), name, source, pseudonym)) if events else ()


SOURCE = Source(
    name="chatwoot",
    topic="chatwoot",
    decode=decode,
    help="Chatwoot conversations: account and API-inbox webhooks",
)
