"""Zendesk ticket events, as webhooks that are subscribed to ``zen:event-type:ticket.*`` send them.

Rules:

* **Ids** are made of the body's ``id``, so a redelivery changes nothing; the beginning of a ticket,
  its description and a comment have ids of their own, because several bodies tell of them: a
  changed requester and a comment made private replace what was said before, by ``version``.
* **Contact** is ``zendesk-<account>-<ticket>``: ticket ids are unique in one account only.
* **No visits**: an assignment is no answer and solving is no end of work, so nothing here opens or
  ends handling.  The group is the queue and the team of ``Assigned``.
* **Who begins**: a ticket with a description begins with a message of the customer.  Made in the
  agents' interface by somebody else than the requester it is outbound, and its description is the
  agent's message.  Whether a ``comment_added`` comes for the description too is documented nowhere:
  one by the ticket's maker within 2 s of its creation is taken for it, and counts once with it.
* **The system user** is -1: what it writes (triggers, automations) is automatic, never a reply.
* Solved ends the contact; a reopening is a later status.  ``detail`` is the ticket after the
  change, so nothing has to be remembered.
* **Ratings**: the types ``csat_requested`` and ``csat_received`` exist, but no description of their
  bodies was found, so they are not read.  A trigger per rating sends the body that
  ``body.Rating`` describes.

Facts: envelope, ``detail``, ``meta`` and ``event.current``/``previous`` from developer.zendesk.com
(webhooks/event-types/ticket-events); ids that are strings, statuses, ``event.comment`` and
``event.target_ticket_id`` from the published models of two consumers (dust-tt/dust; gata.works, a
webhook's way to EventBridge); names of channels from developer.zendesk.com (via-types and
via-object-reference: bodies were seen with either of the two spellings, ``mail`` and ``email``,
``web_form`` and ``web``); that author -1 is Zendesk itself from lukeburden/django-zengo#7.  That
``comment_made_private`` carries ``event.comment.id`` is unconfirmed; without it, it tells nothing.

Rejections: ``value.null``, ``size.exceeded``, ``json.malformed``, ``schema.invalid``,
``time.malformed``, ``time.out_of_range``, ``status.unknown``, ``rating.unknown``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from streams.core import events as ev
from streams.core.source import Event, Pseudonym, Record, Rejected, Source
from streams.sources._reading.body import Unusable, answer
from streams.sources._reading.instants import needed_iso_ms
from streams.sources._reading.names import ident
from streams.sources.zendesk.body import Body, Head, Rating
from streams.sources.zendesk.events import EVENTS
from streams.sources.zendesk.ticket import NAME, Told, contact

BODY_BYTES_MAX = 1024 * 1024
"""Bodies carry the text of a mail; what is larger is not a notification."""
PREFIX = "zen:event-type:ticket."
RATING_TYPE = "contact-streams:ticket.satisfaction"
RATINGS = {"good": 2, "good_with_comment": 2, "bad": 1, "bad_with_comment": 1}

_head = msgspec.json.Decoder(Head)
_body = msgspec.json.Decoder(Body)
_rating = msgspec.json.Decoder(Rating)


def decode(record: Record, pseudonym: Pseudonym) -> Sequence[Event] | Rejected:
    """The events of one webhook body, or why it cannot be used.  Never raises."""
    return answer(record, BODY_BYTES_MAX, lambda value: _events(value, pseudonym))


def _events(value: bytes, pseudonym: Pseudonym) -> Sequence[Event]:
    kind = _head.decode(value).type
    if kind == RATING_TYPE:
        return _rated(_rating.decode(value))
    events = EVENTS.get(kind.removeprefix(PREFIX)) if kind.startswith(PREFIX) else None
    return events(Told(_body.decode(value), pseudonym)) if events else ()


def _rated(rating: Rating) -> list[Event]:
    time, kind = needed_iso_ms(rating.time, "time"), rating.satisfaction
    ticket = contact(rating.account_id, rating.ticket_id)
    if kind not in RATINGS and kind != "offered":
        raise Unusable("rating.unknown")
    base: dict[str, Any] = {
        "id": f"{ticket}-{time}-{kind}",
        "source": NAME,
        "contact": ticket,
        "time": time,
        "channel": "ticket",
        "agent": ident(rating.assignee_id, "assignee_id"),
    }
    if kind == "offered":
        return [ev.SurveySent(**base, survey="csat")]
    return [ev.Rated(**base, survey="csat", score=RATINGS[kind], scale=2)]


SOURCE = Source(
    name=NAME,
    topic="zendesk",
    decode=decode,
    help="Zendesk ticket events (webhook bodies as they came)",
)
