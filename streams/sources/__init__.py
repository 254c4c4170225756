"""The platforms: every module in this package that exports ``SOURCE`` is one.

A new platform is one new file here plus example payloads in ``schemas/examples/<name>/``.
Nothing else lists the platforms.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from streams.core.source import Source


def _found() -> dict[str, Source]:
    sources: dict[str, Source] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(__path__)):
        source = getattr(import_module(f"{__name__}.{module}"), "SOURCE", None)
        if isinstance(source, Source):
            assert source.name not in sources, f"two sources are named {source.name}"
            sources[source.name] = source
    return sources


SOURCES = _found()
"""Every platform by the name users type, in alphabetical order of the files."""
