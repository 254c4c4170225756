"""Intercom conversations, as webhook notifications send them.

Rules:

* **Ids**: one action of a teammate comes under several topics with the same part (an assignment
  with a text is ``assigned``, ``open.assigned`` and ``replied``).  So ids are made of the *part's*
  id, and each happening counts once; what has no part takes its id from the notification or the
  conversation.
* **No visits**: an assignment is no acceptance, and closing is no end of work, so nothing here
  opens or ends handling.  The team is the queue of ``Assigned``.
* **Who begins**: by ``delivered_as`` of what began it, else by the topic: ``customer_initiated`` is
  inbound, what an admin, a campaign or an automation began is outbound; ``operator_initiated`` (a
  bot that greets a visitor) is inbound.
* **Bots** (Fin, Operator, workflows): what they write is never a person's reply.  Where Fin takes
  part, or a workflow began it, the bot talks with the customer; elsewhere what it writes is
  automatic (receipts, the question for a rating).  A bot's assignment to a team or a teammate,
  after Fin took part, hands the conversation over.
* Closed can be opened again, so it is ``solved`` here, and ends the contact until then.  A closing
  text is a message.
* **Fin's verdict** is told with the closing: ``confirmed_resolution`` and ``assumed_resolution``
  are its claims; every other state (escalated, routed_to_team ...) claims nothing.
* A contact is ``intercom-<app>-<conversation>``; the customer is the Intercom contact's id, which
  stays when a lead gives an address.

Facts: topics from developers.intercom.com (webhook-models; changelog for
``conversation.operator.replied``); ``source.type``, ``delivered_as``, ``resolution_state`` and
parts of type ``open`` from intercom/Intercom-OpenAPI and intercom-client 7 (whose lists of
resolution states differ, but for the two that are read); bodies of old and new versions from
zulip/zulip's recorded fixtures; the rating (1 to 5, ``created_at`` is when it was asked for) from
intercom-client.
That Fin hands over by an assignment whose author is a bot is our reading.

Rejections: ``value.null``, ``size.exceeded``, ``json.malformed``, ``schema.invalid``,
``time.missing``, ``time.out_of_range``, ``part.missing``, ``rating.missing``.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streams.core.source import Event, Pseudonym, Record, Rejected, Source
from streams.sources._reading.body import answer
from streams.sources.intercom.body import Body, Head
from streams.sources.intercom.events import EVENTS
from streams.sources.intercom.notification import NAME, Told

BODY_BYTES_MAX = 1024 * 1024

_head = msgspec.json.Decoder(Head)
_body = msgspec.json.Decoder(Body)


def decode(record: Record, pseudonym: Pseudonym) -> Sequence[Event] | Rejected:
    """The events of one notification, or why it cannot be used.  Never raises."""
    return answer(record, BODY_BYTES_MAX, lambda value: _events(value, pseudonym))


def _events(value: bytes, pseudonym: Pseudonym) -> Sequence[Event]:
    events = EVENTS.get(_head.decode(value).topic)
    return events(Told(_body.decode(value), pseudonym)) if events else ()


SOURCE = Source(
    name=NAME,
    topic="intercom",
    decode=decode,
    help="Intercom conversations (webhook notifications as they came)",
)
