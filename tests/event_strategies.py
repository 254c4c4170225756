"""Hypothesis strategies for canonical events, made from the structs themselves."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from streams.core.events import AGENT_EVENTS, CONTACT_EVENTS, SYSTEM_EVENTS

# Half of a surrogate pair is no character and cannot be encoded as UTF-8.
CHARACTERS = st.characters(exclude_categories=["Cs"])


def field_values(kind: inspect.Type) -> st.SearchStrategy[Any]:
    """Values of one field, at and within its bounds."""
    match kind:
        case inspect.StrType():
            return st.text(CHARACTERS, min_size=kind.min_length or 0, max_size=kind.max_length)
        case inspect.IntType():
            return st.integers(kind.ge, kind.le)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case inspect.LiteralType():
            return st.sampled_from(kind.values)
        case inspect.UnionType():
            return st.one_of(*map(field_values, kind.types))
    raise TypeError(f"no strategy for {kind}")


def events_of(cls: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Events of one type, with any of the optional fields."""
    info = inspect.type_info(cls)
    assert isinstance(info, inspect.StructType)
    fields = {field.name: field_values(field.type) for field in info.fields if field.required}
    extra = {field.name: field_values(field.type) for field in info.fields if not field.required}
    return st.fixed_dictionaries(fields, optional=extra).map(lambda chosen: cls(**chosen))


def of_any(*structs: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    return st.sampled_from(structs).flatmap(events_of)


contact_events = of_any(*CONTACT_EVENTS, *SYSTEM_EVENTS)
agent_events = of_any(*AGENT_EVENTS, *SYSTEM_EVENTS)
