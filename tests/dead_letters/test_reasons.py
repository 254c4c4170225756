"""The reasons that are documented are those that there are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from streams.core.board import LATE, TOO_MANY
from streams.dead_letters.reasons import REASONS, markdown
from streams.sources.asterisk_queue_log.verbs import VERBS
from streams.sources.twilio_taskrouter.events import EVENTS

ROOT = Path(__file__).parents[2]
REFUSING = {"Rejected", "Unusable"}
NEEDING = {"within", "_there"}
"""Functions that refuse ``<first argument>.missing``."""


def calls() -> Iterator[tuple[str, str]]:
    """(Function, first argument if it is a text) of all calls in sources and stages."""
    for folder in ("sources", "stages"):
        for path in (ROOT / "streams" / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                    first = node.args[0]
                    text = first.value if isinstance(first, ast.Constant) else ""
                    yield node.func.id, str(text)


def codec_codes() -> Iterator[str]:
    """The codec's table of codes, in its docstring."""
    doc = ast.get_docstring(ast.parse((ROOT / "streams" / "codec.py").read_text("utf-8"))) or ""
    for line in doc.splitlines():
        if line.startswith("``") and "." in line.split("``")[1]:
            yield line.split("``")[1]


def test_every_code_there_is_is_told_of_and_no_other() -> None:
    found = list(calls())
    codes = {text for name, text in found if name in REFUSING and text}
    codes |= {f"{text}.missing" for name, text in found if name in NEEDING and text}
    kinds = (*VERBS.values(), *EVENTS.values())
    codes |= {f"{need}.missing" for kind in kinds for need in kind.needs}
    codes |= {LATE, TOO_MANY, *codec_codes()}
    assert codes == set(REASONS)


def test_the_documentation_has_the_table() -> None:
    text = (ROOT / "docs" / "dead-letters.md").read_text("utf-8")
    assert "\n".join(markdown()) in text, "write it: python -m streams.dead_letters"
