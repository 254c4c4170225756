"""The results as a picture: a bar per engine, the runs' spread on it, a panel per job.

    python -m bench.chart bars.json chart.png

Run by the peers' Python, where matplotlib is; so it reads what ``__main__`` prepared.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from matplotlib import pyplot

OURS_COLOUR, PEER_COLOUR, CEILING_COLOUR = "#0b6e4f", "#8d99ae", "#d9d9d9"
BAR_INCHES, WIDTH_INCHES = 0.34, 9.0


def draw(panels: list[dict[str, Any]], title: str, path: Path) -> None:
    """``panels``: ``title`` and ``bars`` (``title``, ``kind``, ``rate``, ``low``, ``high``)."""
    heights = [len(panel["bars"]) + 1.6 for panel in panels]
    figure, axes = pyplot.subplots(
        len(panels),
        1,
        figsize=(WIDTH_INCHES, BAR_INCHES * sum(heights) + 0.6),
        gridspec_kw={"height_ratios": heights},
        squeeze=False,
        layout="constrained",
    )
    for panel, axis in zip(panels, axes[:, 0], strict=True):
        _panel(axis, panel)
    figure.suptitle(title, fontsize=9)
    figure.savefig(path, dpi=150)


def _panel(axis: Any, panel: dict[str, Any]) -> None:
    bars = panel["bars"][::-1]
    colours = {"ours": OURS_COLOUR, "ceiling": CEILING_COLOUR}
    rates = [bar["rate"] for bar in bars]
    spread = [[b["rate"] - b["low"] for b in bars], [b["high"] - b["rate"] for b in bars]]
    drawn = axis.barh(
        [bar["title"] for bar in bars],
        rates,
        xerr=spread,
        color=[colours.get(bar["kind"], PEER_COLOUR) for bar in bars],
        error_kw={"linewidth": 0.8, "capsize": 2},
    )
    axis.bar_label(drawn, [f"{rate:,.0f}" for rate in rates], padding=6, fontsize=7)
    axis.set_title(panel["title"], fontsize=9, loc="left")
    axis.tick_params(labelsize=7)
    axis.margins(x=0.15)
    axis.set_xlim(left=0)
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axis.spines[["top", "right"]].set_visible(False)


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    draw(given["panels"], given["title"], Path(sys.argv[2]))
