"""The rules of the Zendesk adapter that hold beyond the examples."""

from __future__ import annotations

from typing import Any

import pytest

from streams.core import events as ev
from streams.sources.zendesk import decode
from tests.sources.telling import CUSTOMER, Webhook, bodies_of

BODIES = bodies_of("zendesk")
WEBHOOK = Webhook(decode)
answer, events, kinds = WEBHOOK.answer, WEBHOOK.events, WEBHOOK.kinds


def of(kind: str, at: int = 0, **detail: Any) -> dict[str, Any]:
    """The n-th example of this type, with the ticket changed."""
    found = [body for body in BODIES if body["type"].endswith(kind)][at]
    return found | {"detail": found["detail"] | detail}


@pytest.mark.parametrize(
    ("current", "previous", "status", "ended"),
    [
        ("OPEN", "NEW", "open", False),
        ("HOLD", "OPEN", "on_hold", False),
        ("Pending", "open", "pending", False),
        ("SOLVED", "OPEN", "solved", True),
        ("CLOSED", "SOLVED", "closed", False),
        ("CLOSED", "OPEN", "closed", True),
        ("OPEN", "SOLVED", "open", False),
    ],
)
def test_a_contact_ends_when_it_is_solved_first(
    current: str, previous: str, status: str, ended: bool
) -> None:
    body = of(".status_changed") | {"event": {"current": current, "previous": previous}}
    assert getattr(events(body)[0], "status", "") == status
    assert ("contact.ended" in kinds(body)) is ended


@pytest.mark.parametrize(
    ("writer", "is_staff", "author", "automatic"),
    [
        ("8447388090777", True, "agent", False),
        ("8447388090494", False, "customer", False),
        ("8447388090494", True, "customer", False),
        ("-1", True, "system", True),
        (-1, False, "system", True),
    ],
)
def test_only_staff_that_did_not_ask_replies(
    writer: Any, is_staff: bool, author: str, automatic: bool
) -> None:
    body = of(".comment_added")
    body["event"] = {"comment": {"is_public": True, "author": {"id": writer, "is_staff": is_staff}}}
    (message,) = events(body)
    assert isinstance(message, ev.Message)
    assert (message.author, message.automatic) == (author, automatic)
    assert (message.agent is not None) is (author == "agent")


def test_numbers_and_strings_are_the_same_identifiers() -> None:
    body = of(".created", 1)
    assert events(of(".created", 1, id=5158, group_id=int(body["detail"]["group_id"]))) == events(
        body
    )


def test_an_assignment_is_no_answer_and_solving_no_end_of_work() -> None:
    """A ticket opens no visit and no handle time."""
    visits = (ev.Queued, ev.Answered, ev.Handled, ev.Transferred, ev.LeftQueue)
    assert not any(isinstance(event, visits) for body in BODIES for event in events(body))


def test_the_group_is_queue_and_team_and_comes_with_the_agent() -> None:
    body = of(".agent_assignment_changed")
    (assigned,) = events(body)
    assert isinstance(assigned, ev.Assigned)
    group = body["detail"]["group_id"]
    assert (assigned.queue, assigned.team, assigned.agent) == (
        group,
        group,
        body["event"]["current"],
    )
    (freed,) = events(body | {"event": {"current": None, "previous": "7"}})
    assert isinstance(freed, ev.Assigned)
    assert freed.agent is None
    assert "contact.assigned" not in kinds(of(".created", group_id="0", assignee_id=None))


# --- who begins

MADE = {
    "created_at": "2026-10-05T06:57:46Z",
    "description": "x",
    "submitter_id": "5",
    "requester_id": "5",
}


def created(**detail: Any) -> dict[str, Any]:
    return of(".created", **MADE | detail) | {"time": "2026-10-05T06:57:47Z"}


def commented(seconds: int, writer: str, is_staff: bool = False, **detail: Any) -> dict[str, Any]:
    author = {"id": writer, "is_staff": is_staff}
    comment = {"id": "77", "is_public": True, "author": author}
    body = of(".comment_added", **MADE | detail) | {"id": "another", "event": {"comment": comment}}
    return body | {"time": f"2026-10-05T06:57:{46 + seconds}Z"}


def message(body: dict[str, Any]) -> ev.Message:
    (found,) = (event for event in events(body) if isinstance(event, ev.Message))
    return found


@pytest.mark.parametrize(
    ("detail", "direction", "author", "agent"),
    [
        ({}, "inbound", "customer", None),
        ({"submitter_id": "7", "via": {"channel": "web_form"}}, "outbound", "agent", "7"),
        ({"submitter_id": "7", "via": {"channel": "web"}}, "outbound", "agent", "7"),
        ({"submitter_id": "7", "via": {"channel": "web_service"}}, "inbound", "customer", None),
        ({"submitter_id": None, "via": {"channel": "web"}}, "inbound", "customer", None),
    ],
)
def test_a_description_is_the_first_message(
    detail: dict[str, Any], direction: str, author: str, agent: str | None
) -> None:
    body = created(**detail)
    started = events(body)[0]
    assert isinstance(started, ev.ContactStarted)
    assert started.direction == direction
    assert (message(body).author, message(body).agent) == (author, agent)


def test_without_a_description_nobody_has_written() -> None:
    for nothing in ("", None):
        assert "contact.message" not in kinds(created(description=nothing))
    assert not message(created(is_public=False)).public


def test_a_comment_that_is_the_description_counts_once_and_knows_more() -> None:
    first, comment = message(created()), message(commented(1, "5"))
    assert comment.id == first.id
    assert comment.version > first.version


@pytest.mark.parametrize(("seconds", "writer"), [(3, "5"), (1, "7"), (1, "-1")])
def test_a_comment_that_is_later_or_another_ones_is_a_message_of_its_own(
    seconds: int, writer: str
) -> None:
    comment = message(commented(seconds, writer))
    assert comment.id.endswith("-comment-77")


def test_a_comment_made_private_takes_the_place_of_the_public_one() -> None:
    added = commented(9, "7", is_staff=True)
    hidden = added | {"type": "zen:event-type:ticket.comment_made_private", "id": "later"}
    public, private = message(added), message(hidden)
    assert (public.public, private.public) == (True, False)
    assert private.id == public.id
    assert private.version > public.version
    bare = hidden | {"event": {"comment": {"is_public": False}}}
    assert events(bare) == []


def test_a_changed_requester_says_the_beginning_anew() -> None:
    first = events(created())[0]
    later = created(requester_id="6") | {"type": "zen:event-type:ticket.requester_changed"}
    (again,) = events(later)
    assert isinstance(first, ev.ContactStarted)
    assert isinstance(again, ev.ContactStarted)
    assert (again.id, again.time) == (first.id, first.time)
    assert again.version > first.version
    assert again.customer == CUSTOMER("id", "zendesk:6") != first.customer


# --- ends that are none


def test_spam_is_classified_and_over() -> None:
    assert kinds(of(".created") | {"type": "zen:event-type:ticket.marked_as_spam"}) == [
        "contact.classified",
        "contact.ended",
    ]


def test_a_merged_ticket_goes_on_as_another() -> None:
    body = of(".created") | {"type": "zen:event-type:ticket.merged"}
    (merged,) = events(body | {"event": {"target_ticket_id": "77"}})
    assert isinstance(merged, ev.Merged)
    assert merged.into == f"zendesk-{body['account_id']}-77"
    assert kinds(body | {"event": {}}) == ["contact.ended"]


@pytest.mark.parametrize(
    ("via", "channel"),
    [
        ("email", "email"),
        ("mail", "email"),
        ("native_messaging", "chat"),
        ("whatsapp", "social"),
        ("voice", "ticket"),
        (None, "ticket"),
    ],
)
def test_channels(via: str | None, channel: str) -> None:
    assert {getattr(e, "channel", "") for e in events(of(".created", via={"channel": via}))} == {
        channel
    }


@pytest.mark.parametrize("kind", ["ticket.subject_changed", "user.created", "ticket.", ""])
def test_other_types_tell_nothing(kind: str) -> None:
    assert events({"type": f"zen:event-type:{kind}"}) == []
