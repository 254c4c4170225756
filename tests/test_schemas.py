"""The published schemas say exactly what our reader accepts, and the files are up to date."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from streams.codec import decode_agent, decode_contact, encode
from streams.core.events import AGENT_EVENTS, CONTACT_EVENTS, SYSTEM_EVENTS, type_of
from streams.core.source import Rejected
from streams.schemas import FOLDER, differing, event_schemas, main, schema_files, write
from tests.event_strategies import agent_events, contact_events

SCHEMAS = event_schemas()
VALIDATORS = {name: Draft202012Validator(schema) for name, schema in SCHEMAS.items()}


def test_the_files_are_up_to_date() -> None:
    assert differing(FOLDER) == [], "run: python -m streams.schemas"


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_is_valid_and_says_what_it_is(name: str) -> None:
    schema = SCHEMAS[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:contact-streams:events:{name}:v1"
    assert schema["title"] == name
    assert schema["description"].endswith(".")
    assert "additionalProperties" not in schema


def test_every_string_number_and_choice_is_bounded() -> None:
    for name, schema in SCHEMAS.items():
        for field, kind in schema["properties"].items():
            for one in kind.get("anyOf", [kind]):
                bounded = {"maxLength", "maximum", "enum"} & one.keys()
                assert bounded or one["type"] in ("null", "boolean"), (name, field)


def test_there_is_one_schema_for_each_event() -> None:
    structs: list[type[msgspec.Struct]] = [*CONTACT_EVENTS, *AGENT_EVENTS, *SYSTEM_EVENTS]
    assert list(SCHEMAS) == [type_of[cls] for cls in structs]


# --- both ways


@given(st.one_of(contact_events, agent_events))
def test_what_we_write_the_schema_accepts(event: Any) -> None:
    told = json.loads(encode(event))
    assert VALIDATORS[told["type"]].is_valid(told)


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**54), 2**54),
    st.sampled_from([4_102_444_800_000, 4_102_444_800_001, 1_000_000, 1_000_001, 100, 101]),
    st.sampled_from(["", "x", "voice", "no_answer", "x" * 120, "x" * 121, "x" * 200, "x" * 201]),
    st.sampled_from([0.5, -1.5, [], {}]),
)


@settings(max_examples=500)
@given(st.one_of(contact_events, agent_events), st.data())
def test_what_the_schema_accepts_we_read_and_nothing_else(event: Any, data: st.DataObject) -> None:
    told = json.loads(encode(event))
    validator = VALIDATORS[told["type"]]
    names = sorted(SCHEMAS[told["type"]]["properties"].keys() - {"type"})
    changes = data.draw(st.dictionaries(st.sampled_from([*names, "else"]), ODD, max_size=3))
    told |= changes
    for name in data.draw(st.sets(st.sampled_from(names), max_size=1)):
        told.pop(name, None)
    read = decode_agent if told["type"].startswith("agent.") else decode_contact
    answer = read(json.dumps(told).encode())
    assert isinstance(answer, Rejected) == (not validator.is_valid(told))


# --- the command


def test_checking_lists_what_is_missing_stale_or_left_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([], tmp_path) == 0
    assert {path.name for path in tmp_path.iterdir()} == set(schema_files())
    capsys.readouterr()
    assert main(["--check"], tmp_path) == 0
    assert capsys.readouterr().out == ""
    (tmp_path / "contact.queued.json").unlink()
    (tmp_path / "agent.ready.json").write_text("{}")
    (tmp_path / "contact.gone.json").write_text("{}")
    assert main(["--check"], tmp_path) == 1
    out = capsys.readouterr().out
    for name in ("contact.queued.json", "agent.ready.json", "contact.gone.json"):
        assert f"differs: {tmp_path.name}/{name}\n" in out
    assert "Next: python -m streams.schemas" in out
    assert len(write(tmp_path)) == 3
    assert differing(tmp_path) == []


def test_an_event_without_a_description_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    class Undescribed(msgspec.Struct):
        pass

    monkeypatch.setattr("streams.schemas.CONTACT_EVENTS", (Undescribed,))
    monkeypatch.setattr("streams.schemas.type_of", type_of | {Undescribed: "contact.undescribed"})
    with pytest.raises(AssertionError, match="Undescribed has no docstring"):
        event_schemas()
