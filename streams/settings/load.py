"""Flags, environment, file and defaults into settings: read once, all problems told at once."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from streams.core.pseudonym import KEY_BYTES_MAX, KEY_BYTES_MIN
from streams.errors import SettingsError
from streams.settings import calendars, queues, targets
from streams.settings.options import Field, Wrong, did_you_mean, fields_of, value_of
from streams.settings.tree import SECTIONS, Settings

FILE = "contact-streams.toml"
FILE_BYTES_MAX = 10_000_000
SECRET_BYTES_MAX = 10_000
OTHER_VARIABLES: Mapping[str, str] = {
    "STREAMS_CONFIG": f"The settings file. Else ./{FILE}, if there is one.",
    "STREAMS_CACHE_DIR": "Where the embedded broker's jars are kept.",
    "STREAMS_STATE_DIR": "Where the embedded broker keeps its data.",
}
"""Variables that are no settings; what begins with STREAMS_ and is neither is an error."""
FIELDS: tuple[Field, ...] = tuple(f for name, cls in SECTIONS.items() for f in fields_of(name, cls))
_TABLES = ("calendars", "queues", "targets")
"""Tables by name: no variables, no flags."""
_SECRET = ("password_file", "pseudonym_key_file")
_FILES = (
    "kafka.password_file", "kafka.cafile", "kafka.certfile", "kafka.keyfile",
    "metrics.password_file", "privacy.pseudonym_key_file",
)  # fmt: skip


class _Given(NamedTuple):
    """A value as somebody wrote it, and where."""

    raw: object
    origin: str


def load(
    environ: Mapping[str, str] | None = None,
    *,
    flags: Mapping[str, object] | None = None,
    folder: Path = Path(),
) -> Settings:
    """The settings in force: flags before environment before file before defaults.

    ``environ`` is the process's by default.  ``flags`` are ``section.name`` -> value, None for one
    that was not given.  The file is the one ``STREAMS_CONFIG`` names, or ``contact-streams.toml``
    in ``folder`` if there is one.  SettingsError with every problem there is.
    """
    environ = os.environ if environ is None else environ
    flags = {name: raw for name, raw in (flags or {}).items() if raw is not None}
    problems: list[str] = []
    path, table = _file(environ, folder, problems)
    problems += _unknown_flags(flags)
    problems += _unknown_variables(environ)
    problems += [f"{problem} (from {path})" for problem in _unknown_keys(table)]
    given = _given(flags, environ, table, str(path))
    settings = _settings(given, problems)
    settings = _with_secrets(_with_tables(settings, table, str(path), problems), problems)
    problems += _contradictions(settings)
    if problems:
        raise SettingsError(problems)
    return settings


def _file(
    environ: Mapping[str, str], folder: Path, problems: list[str]
) -> tuple[Path, dict[str, Any]]:
    named = environ.get("STREAMS_CONFIG", "")
    path = Path(named).expanduser() if named else folder / FILE
    if not named and not path.exists():
        return path, {}
    try:
        return path, tomllib.loads(_bytes(path, FILE_BYTES_MAX).decode())
    except tomllib.TOMLDecodeError as error:
        problems.append(f"{path} is not TOML: {error}")
    except UnicodeDecodeError:
        problems.append(f"{path} is not TOML: it is not UTF-8")
    except OSError as error:
        problems.append(f"{path} cannot be read: {error.strerror}")
    except ValueError as error:
        problems.append(f"{path} cannot be read: {error}")
    return path, {}


def _bytes(path: Path, bytes_max: int) -> bytes:
    with path.open("rb") as file:
        content = file.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise ValueError(f"it has more than {bytes_max} bytes")
    return content


# -- what nobody knows


def _unknown_flags(flags: Mapping[str, object]) -> Iterator[str]:
    known = {f.path: f for f in FIELDS}
    for name in flags:
        if name not in known:
            yield f"{name}: there is no such setting{did_you_mean(name, known)}"
        elif known[name].option.secret:
            yield f"{name}: not on the command line, where all can read it; use {name}_file"


def _unknown_variables(environ: Mapping[str, str]) -> Iterator[str]:
    known = [*(f.variable for f in FIELDS), *OTHER_VARIABLES]
    for name in environ:
        if name.startswith("STREAMS_") and name not in known:
            yield f"{name} in the environment: there is no such setting{did_you_mean(name, known)}"


def _unknown_keys(table: Mapping[str, Any]) -> Iterator[str]:
    for section, keys in table.items():
        known = [f.name for f in FIELDS if f.section == section]
        if section in _TABLES:
            continue
        if not known:
            hint = _elsewhere(section, [*SECTIONS, *_TABLES])
            yield f"[{section}]: there is no such section{hint}"
        elif not isinstance(keys, dict):
            yield f"{section}: must be a table: [{section}]"
        else:
            for key in (k for k in keys if k not in known):
                yield f"{section}.{key}: there is no such setting{_elsewhere(key, known)}"


def _elsewhere(name: str, known: list[str]) -> str:
    """A near name, or the same one in another section."""
    near = did_you_mean(name, known)
    same = next((f.path for f in FIELDS if f.name == name), "")
    return near or (f"; did you mean {same}?" if same else "")


# -- values


def _given(
    flags: Mapping[str, object], environ: Mapping[str, str], table: Mapping[str, Any], path: str
) -> dict[str, _Given]:
    """What was given for each setting, by the strongest; an empty variable gives nothing."""
    found = {}
    for field in FIELDS:
        keys = table.get(field.section)
        if field.path in flags:
            found[field.path] = _Given(flags[field.path], "the command line")
        elif environ.get(field.variable):
            found[field.path] = _Given(environ[field.variable], field.variable)
        elif isinstance(keys, dict) and field.name in keys:
            found[field.path] = _Given(keys[field.name], path)
    return found


def _settings(given: Mapping[str, _Given], problems: list[str]) -> Settings:
    values: dict[str, dict[str, Any]] = {name: {} for name in SECTIONS}
    for field in FIELDS:
        if field.path not in given:
            continue
        raw, origin = given[field.path]
        try:
            values[field.section][field.name] = value_of(field, raw)
        except Wrong as wrong:
            shown = "***" if field.option.secret else repr(raw)
            problems.append(f"{field.path} = {shown} (from {origin}): {wrong}")
    origins = {at: origin for at, (_, origin) in given.items()}
    sections: dict[str, Any] = {name: cls(**values[name]) for name, cls in SECTIONS.items()}
    return Settings(**sections, origins=origins)


def _with_tables(
    settings: Settings, table: Mapping[str, Any], path: str, problems: list[str]
) -> Settings:
    """Calendars, queues and targets, which only the file has; queues name calendars."""
    defaults = settings.defaults
    hours = calendars.read(table.get("calendars", {}), defaults.zone, path, problems)
    try:
        queues.check_calendar(defaults.calendar, hours)
    except Wrong as wrong:
        origin = settings.origins["defaults.calendar"]
        problems.append(f"defaults.calendar = {defaults.calendar!r} (from {origin}): {wrong}")
    rows = queues.read(table.get("queues", {}), defaults, hours, path, problems)
    goals = targets.read(table.get("targets", {}), defaults.zone, path, problems)
    found = {"calendars": hours, "queues": rows, "targets": goals}
    origins = {**settings.origins, **{name: path for name in found if found[name]}}
    return replace(settings, calendars=hours, queues=rows, targets=goals, origins=origins)


def _with_secrets(settings: Settings, problems: list[str]) -> Settings:
    """Read the files that are named: some into the settings, the others to see that they can be."""
    contents = {path: _content(path, settings, problems) for path in _FILES}
    changes: dict[str, Any] = {}
    for name in ("kafka", "metrics"):
        section = getattr(settings, name)
        content = contents[f"{name}.password_file"]
        if content is None:
            continue
        if section.password:
            problems.append(f"{name}.password and {name}.password_file: only one of them, please")
        changes[name] = replace(section, password=_text(name, content, problems))
    key = contents["privacy.pseudonym_key_file"]
    if key is not None and not KEY_BYTES_MIN <= len(key) <= KEY_BYTES_MAX:
        problems.append(
            f"privacy.pseudonym_key_file: the file has {len(key)} bytes, a key has "
            f"{KEY_BYTES_MIN} to {KEY_BYTES_MAX}; make one: openssl rand -hex 32"
        )
    return replace(settings, **changes, pseudonym_key=key)


def _text(name: str, content: bytes, problems: list[str]) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        problems.append(f"{name}.password_file: the file is not UTF-8 text")
        return ""


def _content(path: str, settings: Settings, problems: list[str]) -> bytes | None:
    """What is in the file that a setting names, newlines at its end aside; None if nothing is."""
    section, _, name = path.partition(".")
    named = getattr(getattr(settings, section), name)
    if not named:
        return None
    bytes_max = SECRET_BYTES_MAX if name in _SECRET else FILE_BYTES_MAX
    try:
        content = _bytes(Path(named).expanduser(), bytes_max)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        problems.append(f"{path} = {named!r}: cannot be read: {reason}")
        return None
    content = content.rstrip(b"\r\n")
    if not content:
        problems.append(f"{path} = {named!r}: the file is empty")
    return content or None


# -- what does not go together


def _contradictions(settings: Settings) -> Iterator[str]:
    yield from _kafka_contradictions(settings)
    yield from _other_contradictions(settings)


def _kafka_contradictions(settings: Settings) -> Iterator[str]:
    kafka = settings.kafka
    sasl = kafka.security_protocol.startswith("SASL")
    tls = kafka.security_protocol.endswith("SSL")
    if sasl and not (kafka.username and kafka.password):
        protocol = kafka.security_protocol
        yield f"kafka.security_protocol = {protocol}: needs username and password_file"
    if not sasl and (kafka.username or kafka.password):
        yield "kafka.username, password: would never be sent; set security_protocol = SASL_SSL"
    if not tls and (kafka.cafile or kafka.certfile or kafka.keyfile):
        yield "kafka.cafile, certfile, keyfile: would not be used; set security_protocol = SSL"
    if bool(kafka.certfile) != bool(kafka.keyfile):
        yield "kafka.certfile and kafka.keyfile: one is of no use without the other"


def _other_contradictions(settings: Settings) -> Iterator[str]:
    for channel, (silence_ms, horizon_ms) in settings.terms().patience.items():
        if silence_ms > horizon_ms:
            yield (
                f"silence_seconds.{channel}: is beyond horizon_hours.{channel}, so contacts would "
                "be forgotten while they are open"
            )
    borders_ms = settings.first_response_bands.borders_ms()
    if any(border >= following for border, following in pairwise(borders_ms)):
        yield "first_response_bands: each border must be over the one before it"
    if settings.metrics.password and not settings.metrics.username:
        yield "metrics.username: is empty, but there is a password"
