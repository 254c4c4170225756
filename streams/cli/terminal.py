"""Talk to the person at the terminal: standard error, so that standard output is nothing but data.

A bar is drawn only on a terminal.  Elsewhere (a log, a pipe) a step is one line when it is done.
Colour is used only on a terminal, never with ``NO_COLOR`` or ``TERM=dumb``.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from typing import TextIO

BAR_WIDTH = 28
REDRAW_SECONDS = 0.1


def is_rich(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether lines may be redrawn there."""
    return stream.isatty() and environ.get("TERM") != "dumb"


def is_coloured(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether there may be colours."""
    return is_rich(stream, environ) and not environ.get("NO_COLOR")


def redraw(table: str, stream: TextIO | None = None) -> None:
    """A terminal shows the table in place; elsewhere one follows the other."""
    out = stream or sys.stdout
    out.write(f"\x1b[H\x1b[2J{table}" if is_rich(out) else f"{table}\n")
    out.flush()


class Talk:
    """What a command says while it works.  ``quiet`` leaves out all but errors."""

    def __init__(self, stream: TextIO | None = None, quiet: bool = False) -> None:
        self._stream = stream or sys.stderr
        self._quiet = quiet
        self._rich = is_rich(self._stream)
        self._drawn = ""
        self._drawn_at = 0.0
        self._step = ""

    def say(self, text: str) -> None:
        """A line that stays."""
        if not self._quiet:
            self._wipe()
            self._write(text + "\n")

    def progress(self, step: str, done: int, total: int) -> None:
        """How far a step has come; the shape ``streams.kafka.jars.Progress`` asks for.

        A step is over when ``done`` has reached ``total`` or the next one begins.
        """
        over = done >= total
        if self._quiet:
            return
        if not self._rich:
            if step != self._step:
                self._write(f"{step} ...\n")
            self._step = step
        elif over:
            self._wipe()
            self._write(f"{step} {_bar(1, 1)}\n" if total > 1 else f"{step}: done\n")
            self._step = ""
        elif step != self._step or time.monotonic() - self._drawn_at > REDRAW_SECONDS:
            self._step = step
            self._draw(f"{step} {_bar(done, total)}" if total > 1 else f"{step} ...")

    def passing(self, text: str) -> None:
        """A line that the next one replaces; nothing where lines cannot be redrawn."""
        if self._rich and not self._quiet and time.monotonic() - self._drawn_at > REDRAW_SECONDS:
            self._draw(text)

    def settle(self) -> None:
        """Leave the terminal as a shell wants it."""
        self._wipe()

    def _draw(self, text: str) -> None:
        self._wipe()
        # A longer line would wrap and could not be taken back.
        self._drawn = text[: _columns() - 1]
        self._drawn_at = time.monotonic()
        self._write(self._drawn)

    def _wipe(self) -> None:
        if self._drawn:
            self._write("\r\x1b[K")
            self._drawn = ""

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def _bar(done: int, total: int) -> str:
    share = min(1.0, done / total) if total else 1.0
    full = int(share * BAR_WIDTH)
    return f"[{'#' * full}{'.' * (BAR_WIDTH - full)}] {share:4.0%}"


def _columns() -> int:
    import shutil

    return shutil.get_terminal_size().columns
