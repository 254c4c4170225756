"""Command lines: argparse, with examples before options and a guess at what was meant."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from streams.errors import StreamsError

PROG = "contact-streams"


class UsageError(StreamsError):
    """The command line cannot be understood."""


class Parser(argparse.ArgumentParser):
    """Raises UsageError instead of leaving, and suggests the nearest word there is."""

    def __init__(self, *, summary: str = "", examples: Sequence[str] = (), **others: Any) -> None:
        others |= {
            "description": described(summary, examples),
            "formatter_class": argparse.RawDescriptionHelpFormatter,
            "allow_abbrev": False,
        }
        super().__init__(**others)

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}", "", f"{self.prog} --help")

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse's, but an unknown option brings the one that may have been meant."""
        found, unknown = self.parse_known_args(args, namespace)
        if not unknown:
            return found
        word = unknown[0].partition("=")[0]
        parser: argparse.ArgumentParser = getattr(found, "parser", self)
        hint = did_you_mean(word, parser._option_string_actions)
        what = "option" if word.startswith("-") else "argument"
        raise UsageError(f"{parser.prog} knows no {what} {word}{hint}", "", f"{parser.prog} --help")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            choices = [str(choice) for choice in action.choices]
            hint = did_you_mean(str(value), choices)
            message = f"there is no {value}{hint}; there is {', '.join(choices)}"
            raise argparse.ArgumentError(None, message)


class Actions:
    """The words one of which must follow a command, ``broker start``, each with a parser."""

    def __init__(self, command: Parser) -> None:
        self._group = command.add_subparsers(
            dest="action", metavar="ACTION", required=True, parser_class=Parser
        )

    def add(self, name: str, summary: str, examples: Sequence[str] = ()) -> Parser:
        """The parser of one more action."""
        parser = self._group.add_parser(name, help=summary, summary=summary, examples=examples)
        assert isinstance(parser, Parser)
        parser.set_defaults(parser=parser)
        return parser


def described(summary: str, examples: Sequence[str]) -> str:
    """What stands above the options: examples first, because they answer most questions."""
    shown = "".join(f"  {example}\n" for example in examples)
    return f"{summary}\n\nexamples:\n{shown}" if examples else summary


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A guess to be put behind the word, or nothing.

    >>> did_you_mean("tpoics", ["topics", "broker"])
    ' (did you mean topics?)'
    """
    from difflib import get_close_matches

    near = get_close_matches(word, list(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""


def known(what: str, word: str, words: Iterable[str], next: str) -> None:
    """Raise UsageError if ``word`` is none of ``words``, with the one that may have been meant."""
    words = tuple(words)
    if word not in words:
        raise UsageError(f"there is no {what} {word}{did_you_mean(word, words)}", "", next)


def add_json(parser: Parser) -> None:
    """Every command that reads something can give it to a program."""
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
