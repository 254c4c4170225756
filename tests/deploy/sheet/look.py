"""Colors and numbers as Grafana's dark theme shows them."""

from __future__ import annotations

from datetime import datetime, tzinfo

PAGE, PANEL, BORDER = "#111217", "#181b1f", "#2a2d34"
TEXT, FAINT, GRID = "#d5d5e0", "#9a9aa8", "#2a2d34"
NAMED = {
    "red": "#f2495c", "dark-red": "#c4162a", "orange": "#ff9830", "dark-orange": "#d9650b",
    "green": "#73bf69", "dark-green": "#37872d", "blue": "#5794f2", "purple": "#b877d9",
}  # fmt: skip
PALETTE = (
    "#73bf69", "#f2cc0c", "#8ab8ff", "#ff780a", "#f2495c", "#5794f2", "#b877d9", "#37872d",
    "#fade2a", "#447ebc", "#c15c17", "#890f02", "#0a437c", "#6d1f62", "#96d98d", "#ffb357",
)  # fmt: skip
"""Of series, in their order (classic palette)."""
SPANS = ((86_400, "days"), (3_600, "hours"), (60, "mins"))


def color(name: str) -> str:
    """As matplotlib wants it."""
    return NAMED.get(name, name)


def number(value: float, unit: str, decimals: int | None, zone: tzinfo) -> str:
    """A value in its unit."""
    match unit:
        case "percentunit":
            return f"{value * 100:.{1 if decimals is None else decimals}f}%"
        case "dthms":
            minutes, seconds = divmod(round(value), 60)
            return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
        case "s":
            return _seconds(value, decimals)
        case "bytes":
            return _scaled(value, 1024, ("B", "KiB", "MiB", "GiB"), decimals)
        case "cps":
            return _scaled(value, 1000, ("c/s", "Kc/s"), decimals)
        case "none":
            return _plain(value, decimals)
    if unit.startswith("time:"):
        return datetime.fromtimestamp(value / 1000, zone).strftime("%H:%M:%S")
    return _scaled(value, 1000, ("", "K", "Mil"), decimals)


def _seconds(value: float, decimals: int | None) -> str:
    for span, word in SPANS:
        if value >= span:
            return f"{_plain(value / span, decimals)} {word}"
    return f"{_plain(value, decimals)} s" if value >= 1 or not value else f"{value * 1000:.0f} ms"


def _scaled(value: float, by: int, words: tuple[str, ...], decimals: int | None) -> str:
    step = 0
    while abs(value) >= by and step < len(words) - 1:
        value, step = value / by, step + 1
    return f"{_plain(value, decimals)} {words[step]}".strip()


def _plain(value: float, decimals: int | None) -> str:
    """As few decimals as tell it, three digits at most."""
    if decimals is not None:
        return f"{value:.{decimals}f}"
    places = 0 if value == int(value) or abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:.{places}f}"
