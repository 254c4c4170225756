"""What holds for every source, whatever it is given: mutilated examples and arbitrary bytes."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import streams.sources
from streams.codec import decode_agent, decode_contact, encode
from streams.core.events import AgentEvent, Restarted
from streams.core.pseudonym import Pseudonymizer
from streams.core.source import Event, PartlyRejected, Record, Rejected, Source
from streams.sources import SOURCES
from tests.sources.test_examples import PAYLOADS

CUSTOMER = Pseudonymizer(b"sixteen bytes ok", "k1")
LINES = {
    name: [
        line
        for payload in PAYLOADS
        if payload.parent.name == name
        for line in payload.read_bytes().split(b"\n")[:-1]
    ]
    for name in SOURCES
}
TEXT = st.text(max_size=70) | st.sampled_from(["", "0", "-1", "9" * 30, "2101-01-01T00:00:00Z"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=6,
)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["source", "ordinal", "topic_name"]), st.none() | st.binary(max_size=130)
    ),
    max_size=2,
)


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in a body."""
    inside: Any = ()
    if isinstance(value, dict):
        inside = value.items()
    elif isinstance(value, list):
        inside = enumerate(value)
    return [at, *(path for key, inner in inside for path in paths(inner, (*at, key)))]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with one thing in it exchanged."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = changed(copy[path[0]], path[1:], new)
    return copy


@st.composite
def mutilated(draw: st.DrawFn, name: str) -> bytes:
    """An example with one value of its JSON exchanged, or with bytes missing or added."""
    line = draw(st.sampled_from(LINES[name]))
    try:
        body = json.loads(line)
    except (ValueError, RecursionError):
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(line))] * 2)))
        return line[:start] + draw(st.binary(max_size=9) | st.just(line[end:])) + line[end:]
    return json.dumps(changed(body, draw(st.sampled_from(paths(body))), draw(JSON))).encode()


def documented(name: str) -> set[str]:
    """The reasons that the adapter's documentation lists."""
    text = import_module(f"streams.sources.{name}").__doc__ or ""
    return set(re.findall(r"``([a-z]+\.[a-z_]+)``", text.partition("Rejections:")[2]))


def parts(answer: Any) -> tuple[list[Event], list[Rejected]]:
    if isinstance(answer, Rejected):
        return [], [answer]
    if isinstance(answer, PartlyRejected):
        assert answer.events
        assert answer.rejected
        return list(answer.events), list(answer.rejected)
    return list(answer), []


def check(name: str, record: Record) -> None:
    answer = SOURCES[name].decode(record, CUSTOMER)
    assert SOURCES[name].decode(record, CUSTOMER) == answer
    events, rejected = parts(answer)
    assert len({event.id for event in events}) == len(events)
    for event in events:
        of_agent = isinstance(event, AgentEvent | Restarted)
        assert (decode_agent if of_agent else decode_contact)(encode(event)) == event
    for each in rejected:
        assert each.reason in documented(name)
        assert len(each.detail) < 100


@pytest.mark.parametrize("name", SOURCES)
@given(data=st.data())
def test_a_mutilated_example_is_refused_with_a_documented_reason_or_decoded(
    name: str, data: st.DataObject
) -> None:
    value, headers = data.draw(mutilated(name)), data.draw(HEADERS)
    check(name, Record("raw", 0, 0, 0, None, value, headers))


@pytest.mark.parametrize("name", SOURCES)
@given(
    value=st.none() | st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode())
)
def test_anything_gets_an_answer(name: str, value: bytes | None) -> None:
    check(name, Record("raw", 0, 0, 0, None, value))


@pytest.mark.parametrize("name", SOURCES)
def test_what_is_sent_again_has_the_same_ids_wherever_it_stands(name: str) -> None:
    """Where the platform gives nothing to tell happenings apart by, its documentation says so."""
    placed = {"asterisk_ami", "freeswitch_callcenter"}
    decode, ids = SOURCES[name].decode, 0
    for line in LINES[name]:
        first, _ = parts(decode(Record("raw", 0, 0, 0, None, line), CUSTOMER))
        again, _ = parts(decode(Record("raw", 0, 0, 0, None, line), CUSTOMER))
        moved, _ = parts(decode(Record("other", 3, 9, 0, b"k", line, [("h", b"v")]), CUSTOMER))
        assert first == again
        assert first == moved or name in placed
        ids += len(first)
    assert ids


# --- the package


def modules() -> list[str]:
    (folder,) = streams.sources.__path__
    names = (path.stem for path in Path(folder).iterdir() if path.name != "__pycache__")
    return sorted(name for name in names if not name.startswith("_"))


def test_every_module_is_a_source_of_its_own_name() -> None:
    assert list(SOURCES) == modules()
    for name, source in SOURCES.items():
        assert isinstance(source, Source)
        assert (source.name, source.topic) == (name, name.replace("_", "-"))


@pytest.mark.parametrize("name", SOURCES)
def test_a_source_knows_no_other(name: str) -> None:
    (folder,) = streams.sources.__path__
    package = Path(folder) / name
    files = package.glob("*.py") if package.is_dir() else [package.with_suffix(".py")]
    imports = re.findall(
        r"^from streams\.sources\.(\w+)", "\n".join(f.read_text("utf-8") for f in files), re.M
    )
    assert set(imports) <= {name, "_reading"}
