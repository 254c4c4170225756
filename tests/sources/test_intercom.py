"""The rules of the Intercom adapter that hold beyond the examples."""

from __future__ import annotations

from typing import Any

import pytest

from streams.core import events as ev
from streams.sources.intercom import decode
from tests.sources.telling import Webhook, bodies_of
from tests.sources.test_any_source import changed

BODIES = bodies_of("intercom")
WEBHOOK = Webhook(decode)
answer, events, kinds = WEBHOOK.answer, WEBHOOK.events, WEBHOOK.kinds


def of(topic: str, at: int = 0, **item: Any) -> dict[str, Any]:
    """The n-th example of this topic, with the conversation changed."""
    found = [body for body in BODIES if body["topic"] == topic][at]
    return changed(found, ("data", "item"), found["data"]["item"] | item)


def test_one_part_under_several_topics_counts_once() -> None:
    assigned = of("conversation.admin.assigned", 1)
    again = assigned | {"topic": "conversation.admin.open.assigned", "id": "notif_other"}
    assert events(again) == events(assigned)
    replied = events(of("conversation.admin.replied"))
    closed = of("conversation.admin.replied") | {"topic": "conversation.admin.closed"}
    assert replied[0] == events(closed)[0]


def test_a_bot_never_replies_as_an_agent() -> None:
    bot = of("conversation.operator.replied") | {"topic": "conversation.admin.replied"}
    (message,) = events(bot)
    assert isinstance(message, ev.Message)
    assert (message.author, message.agent) == ("bot", None)


@pytest.mark.parametrize(
    ("item", "automatic"),
    [
        ({"ai_agent_participated": True, "ai_agent": None}, False),
        ({"ai_agent_participated": False, "ai_agent": {}}, False),
        ({"source": {"delivered_as": "operator_initiated"}, "ai_agent": None}, False),
        ({"ai_agent_participated": False, "ai_agent": None}, True),
        ({"ai_agent_participated": None, "ai_agent": None}, True),
    ],
)
def test_a_bot_that_takes_no_part_sends_receipts(item: dict[str, Any], automatic: bool) -> None:
    usual = {"ai_agent_participated": False}
    body = of("conversation.operator.replied", **usual | item)
    path = ("data", "item", "conversation_parts", "conversation_parts", 0, "author")
    (message,) = events(changed(body, path, {"type": "bot", "id": "9"}))
    assert isinstance(message, ev.Message)
    assert message.automatic is automatic
    (message,) = events(changed(body, path, {"type": "bot", "id": "9", "from_ai_agent": True}))
    assert not getattr(message, "automatic", True)


def test_a_note_is_private() -> None:
    (note,) = events(of("conversation.admin.noted"))
    assert isinstance(note, ev.Message)
    assert (note.author, note.public) == ("agent", False)


def test_a_hand_off_needs_a_bot_that_took_part() -> None:
    topic = "conversation.admin.assigned"
    assert kinds(of(topic)) == ["contact.bot_handed_off", "contact.assigned"]
    assert "contact.bot_handed_off" not in kinds(of(topic, ai_agent_participated=False))
    assert kinds(of(topic, 1)) == ["contact.assigned"]


def test_an_assignment_is_no_answer_and_closing_no_end_of_work() -> None:
    visits = (ev.Queued, ev.Answered, ev.Handled, ev.Transferred, ev.LeftQueue)
    assert not any(isinstance(event, visits) for body in BODIES for event in events(body))


@pytest.mark.parametrize(
    ("topic", "delivered_as", "direction", "author", "automatic"),
    [
        ("conversation.user.created", "customer_initiated", "inbound", "customer", False),
        ("conversation.user.created", None, "inbound", "customer", False),
        ("conversation.user.created", "operator_initiated", "inbound", "customer", False),
        ("conversation.user.created", "a_new_one", "inbound", "customer", False),
        ("conversation.admin.single.created", "admin_initiated", "outbound", "agent", False),
        ("conversation.admin.single.created", None, "outbound", "agent", False),
        ("conversation.admin.single.created", "automated", "outbound", "agent", True),
    ],
)
def test_who_began(
    topic: str, delivered_as: str | None, direction: str, author: str, automatic: bool
) -> None:
    source = {"id": "9", "delivered_as": delivered_as, "author": {"type": "admin", "id": "7"}}
    started, message, *_ = events(of(topic, source=source))
    assert isinstance(started, ev.ContactStarted)
    assert isinstance(message, ev.Message)
    assert (started.direction, message.author, message.automatic) == (direction, author, automatic)


@pytest.mark.parametrize(
    ("kind", "channel"),
    [("conversation", "chat"), ("phone_call", "voice"), ("whatsapp", "social"), (None, "chat")],
)
def test_channels(kind: str | None, channel: str) -> None:
    found = events(of("conversation.user.created", source={"id": "9", "type": kind}))
    assert {getattr(event, "channel", "") for event in found} == {channel}


@pytest.mark.parametrize("rating", [1, 5])
def test_ratings_are_of_five_and_a_later_one_is_another_event(rating: int) -> None:
    body = of("conversation.rating.added", conversation_rating={"rating": rating})
    (rated,) = events(body)
    assert isinstance(rated, ev.Rated)
    assert (rated.score, rated.scale) == (rating, 5)
    assert events(body | {"id": "notif_later"})[0].id != rated.id


@pytest.mark.parametrize(
    ("state", "claims"),
    [
        ("confirmed_resolution", [True]),
        ("assumed_resolution", [False]),
        ("routed_to_team", []),
        ("escalated", []),
        ("negative_feedback", []),
    ],
)
def test_fin_claims_what_it_resolved(state: str, claims: list[bool]) -> None:
    found = events(of("conversation.admin.closed", ai_agent={"resolution_state": state}))
    assert [e.confirmed for e in found if isinstance(e, ev.ResolutionClaimed)] == claims


def test_too_many_parts_are_refused() -> None:
    body = of("conversation.admin.replied")
    path = ("data", "item", "conversation_parts", "conversation_parts")
    part = body["data"]["item"]["conversation_parts"]["conversation_parts"][0]
    assert answer(changed(body, path, [part] * 101)).reason == "size.exceeded"
    assert answer(changed(body, path, [])).reason == "part.missing"


@pytest.mark.parametrize("topic", ["ping", "conversation.read", "ticket.created", ""])
def test_other_topics_tell_nothing(topic: str) -> None:
    assert events({"topic": topic, "id": None}) == []
