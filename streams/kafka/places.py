"""Where things lie: what is shipped with the package, and what is kept between runs."""

import os
from collections.abc import Mapping
from pathlib import Path


def cache_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder for what can be fetched again: ``STREAMS_CACHE_DIR`` or ``~/.cache/...``."""
    return _place(environ.get("STREAMS_CACHE_DIR"), Path(".cache"))


def state_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of the detached broker: ``STREAMS_STATE_DIR`` or ``~/.local/state/...``."""
    return _place(environ.get("STREAMS_STATE_DIR"), Path(".local", "state"))


def schemas_dir() -> Path:
    """The folder of the schemas: inside an installed package, beside it in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "_schemas"
    return installed if installed.is_dir() else package.parent / "schemas"


def _place(chosen: str | None, below_home: Path) -> Path:
    if chosen:
        # Absolute, because brokers run with a working folder of their own.
        return Path(chosen).expanduser().absolute()
    return Path.home() / below_home / "contact-streams"
