"""The platforms: every module in this package is one and exports ``SOURCE``, but those whose name
begins with an underscore: they hold what platforms share.

A new platform is one new module here plus example payloads in ``schemas/examples/<name>/``.
Nothing else lists the platforms.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from streams.core.source import Source


def _found() -> dict[str, Source]:
    modules = sorted(info.name for info in pkgutil.iter_modules(__path__))
    sources = [
        import_module(f"{__name__}.{module}").SOURCE
        for module in modules
        if not module.startswith("_")
    ]
    return {source.name: source for source in sources}


SOURCES = _found()
"""Every platform by the name users type, in alphabetical order of the modules."""
