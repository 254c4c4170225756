"""A picture, addressed in pixels from its upper left corner."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib

matplotlib.use("Agg")

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from tests.deploy.sheet.look import PAGE, TEXT

DPI = 100
WIDTH = 1_920
LETTER = 0.56
"""How wide a letter is, of its height."""


class Box(NamedTuple):
    """Pixels; ``top`` from the upper edge."""

    left: float
    top: float
    width: float
    height: float

    @property
    def center(self) -> tuple[float, float]:
        return self.left + self.width / 2, self.top + self.height / 2


class Page:
    """A figure of ``height`` pixels."""

    def __init__(self, height: float) -> None:
        self.height = height
        self.figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor=PAGE)

    def points(self, pixels: float) -> float:
        """A height of letters in points."""
        return pixels * 72 / DPI

    def frame(self, box: Box, fill: str, edge: str | None) -> None:
        """A box with round corners."""
        self.figure.add_artist(
            FancyBboxPatch(
                (box.left / WIDTH, 1 - (box.top + box.height) / self.height),
                box.width / WIDTH,
                box.height / self.height,
                boxstyle="round,pad=0,rounding_size=0.0015",
                mutation_aspect=WIDTH / self.height,
                facecolor=fill,
                edgecolor=edge or "none",
                linewidth=0.8 if edge else 0,
            )
        )

    def text(self, x: float, y: float, text: str, size: float, tint: str, **how: Any) -> None:
        """Letters of ``size`` pixels, centered on ``y``."""
        how = {"ha": "left", "va": "center", **how}
        at = (x / WIDTH, 1 - y / self.height)
        # A dollar would begin a formula.
        text = text.replace("$", r"\$")
        self.figure.text(*at, text, fontsize=self.points(size), color=tint, **how)

    def axes(self, box: Box) -> Axes:
        """Axes that fill the box; labels of ticks are outside."""
        return self.figure.add_axes(
            (
                box.left / WIDTH,
                1 - (box.top + box.height) / self.height,
                box.width / WIDTH,
                box.height / self.height,
            ),
            zorder=2,  # above frames
        )

    def legend_rows(self, names: Sequence[str], width: float) -> int:
        """Lines that the names take."""
        return len(self._lines(names, width))

    def legend(self, names: Sequence[tuple[str, str]], box: Box) -> None:
        """Names with their colors, line by line."""
        tints = iter(tint for _, tint in names)
        for row, line in enumerate(self._lines([name for name, _ in names], box.width)):
            left, middle = box.left + 6, box.top + 10 + row * 20
            for name in line:
                swatch = Rectangle(
                    (left / WIDTH, 1 - (middle + 2) / self.height),
                    14 / WIDTH,
                    4 / self.height,
                    color=next(tints),
                )
                self.figure.add_artist(swatch)
                self.text(left + 20, middle, name, 12, TEXT)
                left += self._width(name)

    def _lines(self, names: Sequence[str], width: float) -> list[list[str]]:
        lines: list[list[str]] = [[]]
        used = 0.0
        for name in names:
            if lines[-1] and used + self._width(name) > width - 10:
                lines.append([])
                used = 0
            lines[-1].append(name)
            used += self._width(name)
        return lines

    def _width(self, name: str) -> float:
        return 20 + len(name) * 12 * LETTER + 16

    def save(self, path: Path) -> None:
        self.figure.savefig(path, dpi=DPI, facecolor=PAGE)
