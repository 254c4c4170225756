"""Customers after a restart: nobody is decoded before they call again, and nothing is forgotten."""

from __future__ import annotations

import orjson

from streams.core.posting import generate_post
from streams.core.source import Record
from streams.core.terms import Terms
from streams.kpis import ALL_MEASURES
from streams.stages.customers import CustomersStage
from tests.builders import T0, total
from tests.simulation.driver import added_up, live

SIZE = 4
POST = generate_post(ALL_MEASURES, Terms())
HOUR_MS = 3_600_000
VOICE = ("channel", "voice")


def new_stage() -> CustomersStage:
    return CustomersStage(0, terms=Terms(), post=POST, segment_size=SIZE, board_partitions=1)


def call(offset: int, customer: str) -> Record:
    row = {
        "origin": "contacts/0", "position": offset, "contact": f"c{offset}", "customer": customer,
        "channel": "voice", "queue": None, "arrived_ms": T0 + offset * HOUR_MS,
    }  # fmt: skip
    return Record("records", 0, offset, T0, None, orjson.dumps(row))


LOG = [call(offset, customer) for offset, customer in enumerate(["a", "b", "c", "d", "b"])]


def test_a_restored_customer_is_decoded_when_they_call_again() -> None:
    before = live(new_stage(), SIZE, LOG[:SIZE])
    changelog = [entity for seal in before.seals.values() for entity in seal.entities]
    stage = new_stage()
    after = live(stage, SIZE, LOG, commit=SIZE, changelog=changelog)
    decoded = {name for name, rows in stage._customers.items() if not isinstance(rows, bytes)}
    assert decoded == {"b"}
    assert len(stage) == 4
    amounts = total(added_up(after.outputs), VOICE)
    assert amounts["customer_contacts"] == 1
    assert amounts["repeat_contacts_1d"] == 1
