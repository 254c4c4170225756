"""Asterisk's queue_log, one line of text per happening: ``epoch|callid|queue|agent|VERB|p1|...``.

Rules that hold for every verb:

* One line gives the events of the contact first, then those of the agent.  Line in, events out:
  nothing is remembered between lines, so order, repeats and restarts cannot matter here.
* **Ids** are a hash of (source, line, ordinal) and the event's index in the line.  The ordinal is
  the n-th occurrence of an identical line (header ``ordinal``, default 0), so the same log sent
  twice or shuffled gives the same ids, and two identical lines are two happenings.  Parameters
  that must stay behind are blank in what is hashed: a number has so few digits that whoever knew
  the rest of the line could find it by trying.
* **Sources**: header ``source`` names the PBX, default ``asterisk``.  Call ids are unique in one
  PBX only, so those of a named source become ``<source>:<callid>``.
* **Privacy**: caller and dialled numbers, caller names, URLs, dial-plan targets and free text stay
  behind.  The caller's number leaves as a pseudonym, or not at all.
* A parameter that is absent or empty is unknown.  A duration that is not a number rejects the line
  (better seen than guessed); a negative one is passed on, because the facts count such values.

Rejections: ``value.null``, ``size.exceeded``, ``header.invalid``, ``line.malformed``,
``time.malformed``, ``time.out_of_range``, ``verb.unknown``, ``call.missing``, ``queue.missing``,
``agent.missing``, ``parameter.malformed``, ``schema.invalid``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b

from streams.core.source import Event, Headers, Pseudonym, Record, Rejected, Source
from streams.core.vocabulary import TIME_MS_MAX
from streams.sources._reading.instants import thousandths
from streams.sources.asterisk_queue_log.line import (
    DEFAULT_SOURCE,
    ID_CHARS_MAX,
    NAME_CHARS_MAX,
    Line,
    Malformed,
)
from streams.sources.asterisk_queue_log.verbs import verb_named

LINE_BYTES_MAX = 64 * 1024
"""Asterisk's own lines end at 8 KiB."""
PARAMETERS_AT = 5

_EPOCH = re.compile(r"(\d{1,20})(?:\.(\d{1,9}))?", re.ASCII)
_ORDINAL = re.compile(rb"\d{1,9}")
_VERB = re.compile(r"[A-Z][A-Z0-9_]{0,39}", re.ASCII)


def decode(record: Record, pseudonym: Pseudonym) -> Sequence[Event] | Rejected:
    """The events of one line (none for an empty one), or why it cannot be used.  Never raises."""
    if record.value is None:
        return Rejected("value.null")
    if len(record.value) > LINE_BYTES_MAX:
        return Rejected("size.exceeded", f"{len(record.value)} bytes, at most {LINE_BYTES_MAX}")
    raw = record.value.rstrip(b"\r\n")
    if not raw.strip():
        return ()
    named = _headers(record.headers)
    if named is None:
        return Rejected("header.invalid")
    line = _line(raw, named[0], pseudonym)
    return line if isinstance(line, Rejected) else _events(line, raw, named[1])


def _headers(headers: Headers) -> tuple[str, int] | None:
    """(source, ordinal), or None if either cannot be used."""
    source, ordinal = DEFAULT_SOURCE, b"0"
    for name, value in headers:
        if name == "source":
            source = (value or b"").decode("utf-8", "replace")
        elif name == "ordinal":
            ordinal = value or b""
    usable = 0 < len(source) <= NAME_CHARS_MAX and "\ufffd" not in source
    return (source, int(ordinal)) if usable and _ORDINAL.fullmatch(ordinal) else None


def _line(raw: bytes, source: str, pseudonym: Pseudonym) -> Line | Rejected:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        # Older PBXes write agents' names in Latin-1, in which every byte means something.
        text = raw.decode("latin-1")
    fields = text.split("|")
    if len(fields) < PARAMETERS_AT:
        return Rejected("line.malformed", f"fewer than {PARAMETERS_AT} fields")
    epoch = _EPOCH.fullmatch(fields[0])
    if epoch is None:
        return Rejected("time.malformed", "field 1 is not a number of seconds since 1970")
    time = int(epoch[1]) * 1000 + thousandths(epoch[2])
    if time > TIME_MS_MAX:
        return Rejected("time.out_of_range", "field 1 is after 2099")
    return Line(fields, time, source, pseudonym)


def _events(line: Line, raw: bytes, ordinal: int) -> Sequence[Event] | Rejected:
    verb = verb_named(line.verb)
    if verb is None:
        return Rejected("verb.unknown", line.verb if _VERB.fullmatch(line.verb) else "")
    for need in verb.needs:
        if not getattr(line, need):
            return Rejected(f"{need}.missing", line.verb)
    if max(len(line.queue), len(line.agent)) > NAME_CHARS_MAX or len(line.call) > ID_CHARS_MAX:
        return Rejected("schema.invalid", f"{line.verb}: a call, queue or agent is too long")
    line.stem = _stem(line, verb.private, raw, ordinal)
    try:
        return verb.events(line)
    except Malformed as error:
        return Rejected("parameter.malformed", str(error))


def _stem(line: Line, private: Sequence[int], raw: bytes, ordinal: int) -> str:
    """What the ids of the line's events begin with."""
    if private:
        fields = raw.split(b"|")
        for at in (PARAMETERS_AT + parameter for parameter in private):
            if at < len(fields):
                fields[at] = b""
        raw = b"|".join(fields)
    told = b"%b\0%b\0%d" % (line.source.encode(), raw, ordinal)
    return blake2b(told, digest_size=12).hexdigest()


SOURCE = Source(
    name="asterisk_queue_log",
    topic="asterisk-queue-log",
    decode=decode,
    help="Asterisk's queue_log file, line by line (contact-streams bridge queue-log)",
)
