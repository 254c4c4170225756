"""The settings that each channel has its own of: silence, horizon, first response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streams.core.vocabulary import Channel
from streams.settings.options import option

YEAR_SECONDS = 31_536_000

_FOR: Mapping[Channel, str] = {
    "voice": "For calls.",
    "chat": "For chats.",
    "email": "For mail threads.",
    "social": "For conversations on social networks and messengers.",
    "sms": "For text messages.",
    "ticket": "For tickets.",
    "callback": "For callbacks that were promised.",
    "task": "For tasks.",
    "video": "For video calls.",
}
_FIRST_RESPONSE: Mapping[str, Any] = {
    "low": 1,
    "high": 2_592_000,
    "why": "it is seconds of open time, and nobody promises a first answer within a month",
}
_SILENCE: Mapping[str, Any] = {
    "low": 60,
    "high": YEAR_SECONDS,
    "why": "below, people on hold are lost; above, a lost event is a customer who waits for ever",
}
_HORIZON: Mapping[str, Any] = {
    "low": 1,
    "high": 2 * YEAR_SECONDS // 3_600,
    "why": "memory is contacts times this",
}


@dataclass(frozen=True, slots=True)
class SilenceSeconds:
    """A contact that is open and silent for this long is closed as lost, by its channel."""

    voice: float = option(14_400, _FOR["voice"], **_SILENCE)
    chat: float = option(86_400, _FOR["chat"], **_SILENCE)
    email: float = option(2_592_000, _FOR["email"], **_SILENCE)
    social: float = option(604_800, _FOR["social"], **_SILENCE)
    sms: float = option(604_800, _FOR["sms"], **_SILENCE)
    ticket: float = option(7_776_000, _FOR["ticket"], **_SILENCE)
    callback: float = option(86_400, _FOR["callback"], **_SILENCE)
    task: float = option(604_800, _FOR["task"], **_SILENCE)
    video: float = option(14_400, _FOR["video"], **_SILENCE)


@dataclass(frozen=True, slots=True)
class HorizonHours:
    """A contact silent for this long is forgotten, by its channel. What comes later about it begins
    a new one."""

    voice: float = option(24, _FOR["voice"], **_HORIZON)
    chat: float = option(72, _FOR["chat"], **_HORIZON)
    email: float = option(960, _FOR["email"], **_HORIZON)
    social: float = option(336, _FOR["social"], **_HORIZON)
    sms: float = option(336, _FOR["sms"], **_HORIZON)
    ticket: float = option(2_880, _FOR["ticket"], **_HORIZON)
    callback: float = option(72, _FOR["callback"], **_HORIZON)
    task: float = option(336, _FOR["task"], **_HORIZON)
    video: float = option(24, _FOR["video"], **_HORIZON)


@dataclass(frozen=True, slots=True)
class FirstResponseSeconds:
    """A first human response within this much open time is soon enough, inclusive, by the contact's
    channel; a queue may have its own. The defaults are ours: there is no standard."""

    voice: float = option(20, _FOR["voice"], **_FIRST_RESPONSE)
    chat: float = option(60, _FOR["chat"], **_FIRST_RESPONSE)
    email: float = option(14_400, _FOR["email"], **_FIRST_RESPONSE)
    social: float = option(300, _FOR["social"], **_FIRST_RESPONSE)
    sms: float = option(300, _FOR["sms"], **_FIRST_RESPONSE)
    ticket: float = option(14_400, _FOR["ticket"], **_FIRST_RESPONSE)
    callback: float = option(3_600, _FOR["callback"], **_FIRST_RESPONSE)
    task: float = option(14_400, _FOR["task"], **_FIRST_RESPONSE)
    video: float = option(20, _FOR["video"], **_FIRST_RESPONSE)
