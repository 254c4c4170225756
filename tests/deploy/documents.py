"""What a document says that can be checked: commands, links, settings, metrics, queries."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
RUNBOOKS = DOCS / "runbooks"
PROGRAM = "contact-streams"
_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
_METRIC = re.compile(r"(?:\b[a-z_]+:)?\bcc[_:][a-z0-9_]+(?::[a-z0-9_]+)?")
_VARIABLE = re.compile(r"\bSTREAMS_[A-Z_]+[A-Z]\b")
_DOTTED = re.compile(r"(?<![\w./-])([a-z_]+)\.([a-z0-9_]+)(?![\w./(-])")
_ENDS = ("|", ">", ">>", "<", "&&", "||", ";", "&")


class Block(NamedTuple):
    """A fenced block, in a list or not: the word after the fence, and its text."""

    language: str
    text: str


class Command(NamedTuple):
    """Words after ``contact-streams``; ``mentioned`` in a sentence, where arguments may lack."""

    words: tuple[str, ...]
    mentioned: bool


@dataclass(frozen=True)
class Document:
    """One Markdown file."""

    path: Path
    text: str

    @classmethod
    def read(cls, path: Path) -> Document:
        return cls(path, path.read_text("utf-8"))

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))

    def blocks(self, *languages: str) -> list[Block]:
        """Those of these languages, or all."""
        fenced = _FENCE.findall(self.text)
        found = [Block(language, dedent(text)) for _, language, text in fenced]
        return [b for b in found if not languages or b.language in languages]

    def headings(self, level: int) -> list[str]:
        return [name for marks, name in _HEADING.findall(self._prose()) if len(marks) == level]

    def commands(self) -> Iterator[Command]:
        """Every call of the program, in blocks and in sentences."""
        for block in self.blocks("", "sh", "console"):
            for line in block.text.replace("\\\n", " ").splitlines():
                yield from _commands(line, mentioned=False)
        for span in _SPAN.findall(self._prose()):
            yield from _commands(span, mentioned=True)

    def links(self) -> list[str]:
        """Targets that are not addresses."""
        found = _LINK.findall(self._prose())
        return [link for link in found if not re.match(r"[a-z]+:", link)]

    def settings(self) -> set[str]:
        """``section.name`` in code, whatever the section is."""
        spans = [block.text for block in self.blocks()] + _SPAN.findall(self._prose())
        return {".".join(found) for text in spans for found in _DOTTED.findall(text)}

    def variables(self) -> set[str]:
        return set(_VARIABLE.findall(self.text))

    def metrics(self) -> set[str]:
        return set(_METRIC.findall(self.text))

    def _prose(self) -> str:
        return _FENCE.sub("", self.text)


def _commands(line: str, mentioned: bool) -> Iterator[Command]:
    if PROGRAM not in line:
        return
    try:
        words = shlex.split(line, comments=True)
    except ValueError:  # an apostrophe in what a program prints
        return
    for at, word in enumerate(words):
        if word.rpartition("/")[2] == PROGRAM and _is_called(words[:at]):
            yield Command(tuple(_until_the_end(words[at + 1 :])), mentioned)


def _is_called(before: list[str]) -> bool:
    """At the beginning, after variables, or run by another program."""
    return not before or before[-1] in ("--", "exec", "run", "worker-1") or "=" in before[-1]


def _until_the_end(words: list[str]) -> Iterator[str]:
    for word in words:
        if word in _ENDS:
            return
        yield word


def operator_documents() -> list[Document]:
    """What operators read."""
    paths = [ROOT / "README.md", *DOCS.glob("*.md"), *RUNBOOKS.glob("*.md")]
    return [Document.read(path) for path in sorted(paths)]
