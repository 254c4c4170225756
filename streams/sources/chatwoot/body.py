"""What is read of the bodies of Chatwoot's webhooks; everything else in them is skipped."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from streams.core.vocabulary import Channel

CHANGES_MAX = 200
MESSAGES_MAX = 100
ADDRESS_CHARS_MAX = 320

RecordId = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Address = Annotated[str, Meta(max_length=ADDRESS_CHARS_MAX)]
Time = int | float | str | None

CHANNELS: dict[str, Channel] = {
    "Channel::WebWidget": "chat",
    "Channel::Api": "chat",
    "Channel::Email": "email",
    "Channel::Sms": "sms",
    "Channel::TwilioSms": "sms",
    "Channel::Voice": "voice",
    "Channel::FacebookPage": "social",
    "Channel::Instagram": "social",
    "Channel::Line": "social",
    "Channel::Telegram": "social",
    "Channel::Tiktok": "social",
    "Channel::TwitterProfile": "social",
    "Channel::Whatsapp": "social",
}
"""Class of the inbox's channel -> ours; any other is a chat."""


class Person(Struct, gc=False):
    """Customer, user or bot."""

    id: RecordId | None = None
    type: str | None = None
    email: Address | None = None
    phone_number: Address | None = None


class Numbered(Struct, gc=False):
    """Of an inbox or a team only the id is read."""

    id: RecordId | None = None


class About(Struct, gc=False):
    """``meta`` of a conversation."""

    sender: Person | None = None
    assignee: Person | None = None
    assignee_type: str | None = None
    team: Numbered | None = None


class Change(Struct, gc=False):
    """A field's value before and after; which types there are depends on the field."""

    previous_value: Any = None
    current_value: Any = None


class Rating(Struct, gc=False):
    """The customer's answer to the survey, 1 to 5; the feedback in words is not read."""

    rating: Annotated[int, Meta(ge=1, le=5)] | None = None


class Submitted(Struct, gc=False):
    csat_survey_response: Rating | None = None


class Contents(Struct, gc=False):
    """``content_attributes`` of a message."""

    automation_rule_id: Any = None
    external_echo: Any = None
    submitted_values: Any = None


class Additional(Struct, gc=False):
    """``additional_attributes`` of a message."""

    campaign_id: Any = None


class Said(Struct, gc=False):
    """A message as it stands within a conversation's body."""

    message_type: int | str | None = None
    created_at: Time = None
    sender: Person | None = None
    content_attributes: Contents | None = None
    additional_attributes: Additional | None = None


class Conversation(Struct, gc=False):
    """As the whole body, or within a message's.  ``messages`` holds the last one, if any."""

    id: RecordId | None = None
    inbox_id: RecordId | None = None
    channel: str | None = None
    status: str | None = None
    meta: About | None = None
    created_at: Time = None
    updated_at: Time = None
    last_activity_at: Time = None
    timestamp: Time = None
    messages: Annotated[list[Said], Meta(max_length=MESSAGES_MAX)] | None = None


class Body(Conversation, gc=False):
    """The conversation's fields, or the message's; ``changed_attributes`` of what was updated."""

    changed_attributes: Annotated[list[dict[str, Change]], Meta(max_length=CHANGES_MAX)] | None = (
        None
    )
    message_type: int | str | None = None
    content_type: str | None = None
    private: bool | None = None
    sender: Person | None = None
    inbox: Numbered | None = None
    conversation: Conversation | None = None
    content_attributes: Contents | None = None
    additional_attributes: Additional | None = None
