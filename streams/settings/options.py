"""One setting: its type, default, bounds and documentation, and how a raw value becomes a value.

A setting is a field of a frozen dataclass, made by ``option``.  The documentation is part of the
definition: ``docs/settings.md``, the example file and the messages all come from it.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, get_type_hints


@dataclass(frozen=True, slots=True)
class Option:
    """What is known about one setting.  ``low`` and ``high`` are inclusive; ``zero`` allows 0 too.

    ``why`` says what goes wrong outside the bounds.  ``check`` returns what is wrong with a value,
    or nothing.
    """

    help: str
    low: float | None = None
    high: float | None = None
    zero: bool = False
    why: str = ""
    choices: tuple[str, ...] = ()
    check: Callable[[Any], str] | None = None
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """An option with its place: ``section.name``, type and default."""

    section: str
    name: str
    type: type
    default: Any
    option: Option

    @property
    def path(self) -> str:
        return f"{self.section}.{self.name}"

    @property
    def variable(self) -> str:
        return f"STREAMS_{self.section}_{self.name}".upper()


class Wrong(Exception):
    """A value cannot be used; the message says why and never holds the value itself."""


def option(default: Any, help: str, **known: Any) -> Any:
    """A dataclass field with a default and documentation; see ``Option`` for the rest."""
    made = Option(help, **known)
    return dataclasses.field(default=default, metadata={"option": made}, repr=not made.secret)


def fields_of(section: str, cls: type) -> tuple[Field, ...]:
    """The settings of a section, in the order they are written."""
    hints = get_type_hints(cls)
    return tuple(
        Field(section, f.name, hints[f.name], f.default, f.metadata["option"])
        for f in dataclasses.fields(cls)
        if "option" in f.metadata
    )


def value_of(field: Field, raw: object) -> Any:
    """The value that ``raw`` means for this setting, checked; Wrong if it means none.

    ``raw`` is a string (environment, command line) or what TOML made of it.
    """
    known = field.option
    if known.secret and isinstance(raw, str):
        return raw  # spaces around a password belong to it
    value = _converted(field.type, raw)
    if known.choices:
        _check_choices(known.choices, value if isinstance(value, tuple) else (value,))
    if isinstance(value, int | float):
        _check_bounds(known, value)
    if known.check is not None and (found := known.check(value)):
        raise Wrong(found)
    return value


def _converted(type_: type, raw: object) -> Any:
    if isinstance(raw, str):
        return _from_text(type_, raw)
    if type_ is bool and isinstance(raw, bool):
        return raw
    if type_ in (int, float) and isinstance(raw, int | float) and not isinstance(raw, bool):
        return _number(type_, raw)
    if type_ == tuple[str, ...] and isinstance(raw, list) and all(isinstance(r, str) for r in raw):
        return tuple(raw)
    raise Wrong(f"must be {_NAMES[type_]}, not {_toml_name(raw)}")


def _number(type_: type, raw: float) -> int | float:
    """Whole where it is whole, so that 120 and 120.0 are shown alike."""
    if isinstance(raw, float) and not math.isfinite(raw):
        raise Wrong("must be a finite number")
    if raw == int(raw):
        return int(raw)
    if type_ is int:
        raise Wrong("must be a whole number")
    return raw


def _from_text(type_: type, text: str) -> Any:
    text = text.strip()
    if type_ is str:
        return text
    if type_ == tuple[str, ...]:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if type_ is bool:
        return _boolean(text)
    try:
        number = float(text)
    except ValueError:
        raise Wrong(f"must be {_NAMES[type_]}; the unit is part of the setting's name") from None
    return _converted(type_, number)


def _boolean(text: str) -> bool:
    found = {"true": True, "false": False}.get(text.lower())
    if found is None:
        raise Wrong(f"must be {_NAMES[bool]}")
    return found


def _check_choices(choices: tuple[str, ...], values: Iterable[str]) -> None:
    for value in values:
        if value not in choices:
            raise Wrong(f"must be one of {', '.join(choices)}{did_you_mean(value, choices)}")


def _check_bounds(known: Option, value: float) -> None:
    low = -math.inf if known.low is None else known.low
    high = math.inf if known.high is None else known.high
    if not (low <= value <= high or (known.zero and value == 0)):
        why = f": {known.why}" if known.why else ""
        raise Wrong(f"must be {bounds_text(known)}{why}")


def bounds_text(known: Option) -> str:
    """The bounds as words; empty if there are none.

    >>> bounds_text(Option("", low=10, high=20, zero=True))
    '0 or 10 to 20'
    """
    if known.low is None and known.high is None:
        return ""
    zero = "0 or " if known.zero else ""
    return f"{zero}{known.low:.15g} to {known.high:.15g}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence that guesses what was meant; empty if nothing is near."""
    near = get_close_matches(word, list(known), 1)
    return f"; did you mean {near[0]}?" if near else ""


_NAMES: dict[Any, str] = {
    str: "text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    tuple[str, ...]: "a list of texts",
}


def _toml_name(raw: object) -> str:
    """What TOML calls it."""
    names = {bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return names.get(type(raw), "a date or time")
