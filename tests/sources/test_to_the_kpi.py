"""From platforms' payloads to KPIs, through all five stages."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from tests.pipeline import Pipeline
from tests.sources.test_examples import EXAMPLES

LATER_MS = 1_900_000_000_000
AGAIN = "answered_call_again_disordered_from_a_websocket"


def lines(source: str, name: str) -> list[bytes]:
    return (EXAMPLES / source / f"{name}.txt").read_bytes().split(b"\n")[:-1]


class Figures:
    """KPIs of a day by channel, or by queue and channel."""

    def __init__(self, source: str, payloads: list[bytes], append_ms: int = LATER_MS) -> None:
        pipeline = Pipeline(source)
        pipeline.lines(payloads, append_ms=append_ms)
        self.letters = pipeline.letters
        self._rows = [r for r in pipeline.results() if r["window"]["kind"] == "day"]

    def of(self, kpi: str, **key: str) -> Any:
        """The value of the day that has one; 0 if all have that, None if nothing was said of it."""
        values = {r["value"] for r in self._rows if r["kpi"] == kpi and r["key"] == key} - {None}
        assert len(values - {0}) <= 1, f"{kpi} of several days"
        return max(values, default=None)

    def all(self, channel: str, *kpis: str) -> dict[str, Any]:
        return {kpi: self.of(kpi, channel=channel) for kpi in kpis}


# --- Amazon Connect


def test_the_worked_example_of_a_contact_record() -> None:
    """Wait 7 s, talk 33 s, after-contact work 32 s: handle time 65 s (the 64 s before are IVR)."""
    figures = Figures("amazon_connect", lines("amazon_connect", "contact_record"))
    assert figures.all(
        "voice", "contacts_offered", "answer_speed_mean", "talk_time_mean", "hold_time_mean",
        "wrap_up_time_mean", "handle_time_mean", "contacts_abandoned", "contacts_open",
    ) == {
        "contacts_offered": 1, "answer_speed_mean": 7.0, "talk_time_mean": 33.0,
        "hold_time_mean": 0.0, "wrap_up_time_mean": 32.0, "handle_time_mean": 65.0,
        "contacts_abandoned": 0, "contacts_open": 0,
    }  # fmt: skip
    assert figures.of("handle_time_mean", queue="6e16b957", channel="voice") == 65.0


def test_the_worked_example_in_whatever_order_events_and_versions_of_the_record_come() -> None:
    told = [
        *lines("amazon_connect", "contact_events_disordered")[:3],
        *lines("amazon_connect", "contact_record"),
        *lines("amazon_connect", "contact_record_sent_again"),
    ]
    for order in permutations(told):
        figures = Figures("amazon_connect", [*order, order[0]])
        kpis = ("contacts_offered", "answer_speed_mean", "handle_time_mean", "contacts_arrived")
        assert list(figures.all("voice", *kpis).values()) == [1, 7.0, 65.0, 1]


def test_a_queued_callback_waits_from_when_it_is_due() -> None:
    """The reported queue duration is 120 s: 99 s until it was due, and 21 s of waiting."""
    record, callback = lines("amazon_connect", "records_of_other_ends")[2:4]
    figures = Figures("amazon_connect", [callback, record])
    voice = figures.all("voice", "contacts_offered", "contacts_left_unknown", "contacts_abandoned")
    assert list(voice.values()) == [1, 1, 0]
    back = figures.all("callback", "contacts_offered", "answer_speed_mean", "handle_time_mean")
    assert list(back.values()) == [1, 21.0, 75.0]
    assert figures.of("contacts_arrived", channel="voice") == 1
    assert figures.of("contacts_arrived", channel="callback") == 0


def test_a_corrected_record_takes_the_place_of_the_first() -> None:
    first = lines("amazon_connect", "contact_record")[0]
    later = json.loads(first) | {"LastUpdateTimestamp": "2022-04-08T16:00:00Z"}
    later["Agent"]["AgentInteractionDuration"] = 30
    later["Agent"]["CustomerHoldDuration"] = 3
    corrected = json.dumps(later).encode()
    for order in permutations([first, corrected, first]):
        figures = Figures("amazon_connect", list(order))
        kpis = ("legs_ended", "talk_time_mean", "hold_time_mean")
        assert list(figures.all("voice", *kpis).values()) == [1, 30.0, 3.0]


# --- other platforms with queues


@pytest.mark.parametrize(
    ("source", "name", "figures"),
    [
        ("genesys_cloud", "answered_call", [12.0, 80.0, 20.0, 15.0]),
        ("genesys_cloud", AGAIN, [12.0, 80.0, 20.0, 15.0]),
        ("twilio_taskrouter", "answered_call", [21.71, 182.25, 0.0, 27.0]),
        ("twilio_taskrouter", "answered_call_sent_again_in_disorder", [21.71, 182.25, 0.0, 27.0]),
        ("freeswitch_callcenter", "answered_call", [27.0, 120.0, 0.0, None]),
        ("freeswitch_callcenter", "out_of_order", [27.0, 120.0, 0.0, None]),
        ("asterisk_ami", "answered_call", [31.0, 121.0, 0.0, None]),
        ("asterisk_ami", "out_of_order", [31.0, 121.0, 0.0, None]),
    ],
)
def test_an_answered_call(source: str, name: str, figures: list[Any]) -> None:
    found = Figures(source, lines(source, name))
    assert not found.letters
    assert found.of("contacts_offered", channel="voice") == 1
    kpis = ("answer_speed_mean", "talk_time_mean", "hold_time_mean", "wrap_up_time_mean")
    assert list(found.all("voice", *kpis).values()) == figures


def test_an_answer_that_could_not_be_connected_is_an_abandonment() -> None:
    told = lines("freeswitch_callcenter", "offers_that_failed")[-3:]
    for order in permutations(told):
        found = Figures("freeswitch_callcenter", list(order))
        kpis = ("contacts_offered", "contacts_answered", "contacts_abandoned", "contacts_open")
        assert list(found.all("voice", *kpis).values()) == [1, 0, 1, 0]


def test_the_manager_interface_does_not_say_who_gave_up() -> None:
    told = lines("asterisk_ami", "leaving_the_queue")
    found = Figures("asterisk_ami", told, append_ms=1_585_319_056_000)
    assert found.of("contacts_abandoned", channel="voice") == 0
    assert found.of("contacts_left_unknown", channel="voice") == 1


def test_a_list_with_something_unusable_counts_what_can_be_used() -> None:
    found = Figures("twilio_taskrouter", lines("twilio_taskrouter", "event_streams")[-1:])
    assert found.of("contacts_arrived", channel="chat") == 1
    (letter,) = found.letters
    assert dict(letter.headers)["cc_dlq_reason"] == b"time.malformed"


# --- conversations and tickets


@pytest.mark.parametrize(
    ("source", "name", "channel", "contacts"),
    [
        ("zendesk", "life_of_a_ticket", "email", 1),
        ("chatwoot", "bot_agent_survey_reopened", "chat", 1),
        ("chatwoot", "sent_again_in_disorder", "chat", 1),
        ("intercom", "bot_team_teammate_rating", "chat", 1),
    ],
)
def test_a_conversation_arrives_and_is_no_visit(
    source: str, name: str, channel: str, contacts: int
) -> None:
    """Assigning and solving open no handle time: these platforms report no acceptance."""
    found = Figures(source, lines(source, name))
    assert found.of("contacts_arrived", channel=channel) == contacts
    for kpi in ("contacts_offered", "contacts_answered", "legs_ended"):
        assert found.of(kpi, channel=channel) in (0, None), kpi
