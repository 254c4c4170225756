"""Every example payload decodes to its reviewed snapshot; adding a file adds a test.

``python -m tests.sources.test_examples`` writes the snapshots anew, to be reviewed as a diff.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from streams.core.pseudonym import Pseudonymizer
from streams.core.source import PartlyRejected, Record, Rejected
from streams.schemas import event_schemas
from streams.sources import SOURCES

EXAMPLES = Path(__file__).resolve().parents[2] / "schemas" / "examples"
PAYLOADS = sorted(EXAMPLES.glob("*/*.txt"))
CUSTOMER = Pseudonymizer(b"key of the examples", "example")


def records(payload: Path) -> Iterator[Record]:
    """One record a line, with the ordinals a bridge would give."""
    seen = Counter[bytes]()
    for offset, raw in enumerate(payload.read_bytes().split(b"\n")[:-1]):
        headers = [("ordinal", b"%d" % seen[raw])] if seen[raw] else []
        seen[raw] += 1
        yield Record(payload.parent.name, 0, offset, 0, None, raw, headers)


def decoded(payload: Path) -> list[dict[str, Any]]:
    """What the snapshot must say."""
    decode = SOURCES[payload.parent.name].decode
    found = []
    for record in records(payload):
        answer = decode(record, CUSTOMER)
        told: dict[str, Any] = {"line": record.offset + 1}
        if isinstance(answer, PartlyRejected):
            told["rejected"] = [rejected._asdict() for rejected in answer.rejected]
            answer = answer.events
        if isinstance(answer, Rejected):
            told["rejected"] = answer._asdict()
        else:
            told["events"] = [msgspec.to_builtins(event) for event in answer]
        found.append(told)
    return found


def snapshot(payload: Path) -> Path:
    return payload.with_suffix(".json")


def test_every_source_has_examples() -> None:
    assert {payload.parent.name for payload in PAYLOADS} == set(SOURCES)


def test_no_snapshot_is_left_over() -> None:
    assert sorted(EXAMPLES.glob("*/*.json")) == [snapshot(payload) for payload in PAYLOADS]


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_payload_decodes_to_its_snapshot(payload: Path) -> None:
    assert decoded(payload) == json.loads(snapshot(payload).read_text("utf-8"))


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_what_it_decodes_to_is_what_the_schemas_say(payload: Path) -> None:
    schemas = event_schemas()
    for line in decoded(payload):
        for event in line.get("events", ()):
            Draft202012Validator(schemas[event["type"]]).validate(event)


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_ids_are_unique_within_a_payload(payload: Path) -> None:
    """A later version has the id of what it corrects."""
    events = [event for line in decoded(payload) for event in line.get("events", ())]
    ids = [(event["id"], event.get("version", 0)) for event in events]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("payload", PAYLOADS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_no_number_name_or_address_of_a_customer_leaves(payload: Path) -> None:
    told = json.dumps(decoded(payload), ensure_ascii=False)
    for private in ("3238679471", "5556667775", "9031396745", "30123456", "Ann", "ANN", "crm."):
        assert private not in told


if __name__ == "__main__":
    for path in PAYLOADS:
        text = json.dumps(decoded(path), indent=1, ensure_ascii=False) + "\n"
        snapshot(path).write_text(text, "utf-8")
