"""Dead letters as text and as JSON.  What others have written is shown with its control characters
escaped: a payload may hold a terminal's commands."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from streams.cli.tables import count, text_table

if TYPE_CHECKING:
    from streams.dead_letters.counting import Count, Counts, Kind
    from streams.dead_letters.judging import Verdict
    from streams.dead_letters.letter import Letter
    from streams.dead_letters.replaying import Outcome

_ESCAPED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def safe(text: str) -> str:
    """Text in which nothing acts on a terminal: what cannot be printed is written as its code.

    >>> print(safe("a\\x1b[2Jb"))
    a\\x1b[2Jb
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _ESCAPED.get(c) or ascii(c)[1:-1] for c in text)


def safe_bytes(value: bytes) -> str:
    """Bytes as text, those that are none as ``\\xff``."""
    return safe(value.decode("utf-8", "backslashreplace"))


def time_told(ms: int) -> str:
    """ISO 8601 in UTC; what no calendar has (a header may say anything) as it is."""
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return f"{ms} ms"


def count_table(counts: Counts) -> str:
    """A row for each reason, stage and topic; "" without any."""
    headings = ["reason", "stage", "topic", "letters", "open", "replayed", "first", "last"]
    rows = [
        [
            *map(safe, kind),
            count(of.letters), count(of.letters - of.replayed), count(of.replayed),
            time_told(of.first_ms), time_told(of.last_ms),
        ]
        for kind, of in counts.rows()
    ]  # fmt: skip
    return text_table(headings, rows, left=3) if rows else ""


def told_count(kind: Kind, of: Count) -> dict[str, Any]:
    """A row for a program."""
    return {
        **kind._asdict(),
        "letters": of.letters,
        "open": of.letters - of.replayed,
        "replayed": of.replayed,
        "first": time_told(of.first_ms),
        "last": time_told(of.last_ms),
    }


def written_letters(shown: Sequence[tuple[Letter, bool]]) -> str:
    """A line for each letter; "" without any."""
    headings = ["letter", "refused", "reason", "stage", "about", "state", "bytes"]
    rows = [
        [
            f"{one.partition}:{one.offset}", time_told(one.refused_ms),
            *map(safe, (one.reason, one.stage, one.id)), _state(sent), count(one.size),
        ]
        for one, sent in shown
    ]  # fmt: skip
    return text_table(headings, rows, left=6) if rows else ""


def _state(sent: bool) -> str:
    return "replayed" if sent else "open"


def told_letter(letter: Letter, sent: bool) -> dict[str, Any]:
    """A letter for a program, without what is in it."""
    return {
        "partition": letter.partition,
        "offset": letter.offset,
        "refused": time_told(letter.refused_ms),
        "reason": letter.reason,
        "message": letter.message,
        "stage": letter.stage,
        "id": letter.id,
        "topic": letter.record.topic,
        "appended": time_told(letter.record.timestamp),
        "size": letter.size,
        "used": letter.used,
        "attempts": letter.origin.attempts,
        "state": _state(sent),
    }


def written_shown(letter: Letter, verdict: Verdict, sent: bool, body: bool) -> str:
    """Everything about one letter; what is in it only if asked for."""
    rows = [
        ("letter", f"{letter.partition}:{letter.offset}, {_state(sent)}"),
        ("refused", f"{time_told(letter.refused_ms)} by {letter.stage}"),
        ("reason", f"{letter.reason}  {letter.message}".rstrip()),
        ("means", _meaning(letter.reason)),
        ("record", f"{letter.id}, appended {time_told(letter.record.timestamp)}"),
        ("size", f"{count(letter.size)} bytes, {letter.used} events of it were used"),
        ("replays", f"{letter.origin.attempts} before this letter"),
        ("today", _today(verdict)),
    ]
    rows += [("header", _header(name, value, body)) for name, value in letter.record.headers]
    if body:
        rows.append(("key", _content(letter.record.key)))
        rows.append(("body", _content(letter.record.value)))
    return "".join(f"{name:8} {safe(text)}\n" for name, text in rows)


def _meaning(reason: str) -> str:
    from streams.dead_letters.reasons import REASONS

    known = REASONS.get(reason)
    return f"{known.means}; {known.do}" if known else "a code that is not known any more"


def _today(verdict: Verdict) -> str:
    from streams.dead_letters.judging import WORDS

    why = f"{verdict.reason}  {verdict.detail}".strip()
    return f"{WORDS[verdict.word]}: {why}" if why else WORDS[verdict.word]


def _header(name: str, value: bytes | None, body: bool) -> str:
    return f"{name} = {_content(value)}" if body else f"{name}, {count(len(value or b''))} bytes"


def _content(value: bytes | None) -> str:
    return "(none)" if value is None else safe_bytes(value)


def told_shown(letter: Letter, verdict: Verdict, sent: bool, body: bool) -> dict[str, Any]:
    """The same for a program; bytes that are no text as base64."""
    record = letter.record
    found = told_letter(letter, sent) | {
        "today": {"verdict": verdict.word, "reason": verdict.reason, "detail": verdict.detail},
        "headers": [{"name": name, "size": len(value or b"")} for name, value in record.headers],
    }
    if body:
        found["headers"] = [{"name": n, **_told("value", v)} for n, v in record.headers]
        found |= _told("key", record.key) | _told("body", record.value)
    return found


def _told(name: str, value: bytes | None) -> dict[str, str | None]:
    try:
        return {name: value if value is None else value.decode()}
    except UnicodeDecodeError:
        assert value is not None
        return {f"{name}_base64": b64encode(value).decode()}


def written_outcome(outcome: Outcome) -> str:
    """What became of the letters, and why those that are refused are."""
    from streams.dead_letters.judging import WORDS

    rows = [[text, count(outcome.words[word])] for word, text in WORDS.items()]
    rows += [["replayed before", count(outcome.replayed)], ["sent now", count(outcome.sent)]]
    text = text_table(["letters", "count"], [row for row in rows if row[1] != "0"] or rows[:1])
    if outcome.refusals:
        refusals = [
            [safe(reason), safe(detail), count(letters)]
            for (reason, detail), letters in outcome.refusals.most_common()
        ]
        text += "\n" + text_table(["refused for", "detail", "count"], refusals, left=2)
    return text


def told_outcome(outcome: Outcome, applied: bool) -> dict[str, Any]:
    """The same for a program."""
    from streams.dead_letters.judging import WORDS

    return {
        "applied": applied,
        **{word: outcome.words[word] for word in WORDS},
        "replayed_before": outcome.replayed,
        "sent": outcome.sent,
        "windows_dropped": outcome.dropped,
        "contacts_forgotten": outcome.forgotten,
        "doubtful": outcome.doubtful,
        "limited": outcome.limited,
        "interrupted": bool(outcome.signal),
        "refusals": [
            {"reason": reason, "detail": detail, "letters": letters}
            for (reason, detail), letters in outcome.refusals.most_common()
        ],
    }
