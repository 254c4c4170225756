"""What can be set: read once from flags, environment and one TOML file, checked, then frozen.

>>> from pathlib import Path
>>> settings = load({"STREAMS_KAFKA_PREFIX": "acme"}, folder=Path("/nowhere"))
>>> settings.kafka.prefix, settings.origins["kafka.prefix"], settings.terms().grace_ms
('acme', 'STREAMS_KAFKA_PREFIX', 120000)

A new setting is a field in ``tree``; documentation, example, environment and checks follow.
Nothing else in the program reads the environment, but for the two folders of the embedded broker
and the fail points of tests (``streams.runtime.failpoints``).
"""

from __future__ import annotations

from streams.settings.load import FILE, OTHER_VARIABLES, load
from streams.settings.show import describe, example, markdown
from streams.settings.tree import Defaults, Kafka, Metrics, Privacy, Processing, Settings

__all__ = [
    "FILE", "OTHER_VARIABLES", "Defaults", "Kafka", "Metrics", "Privacy", "Processing",
    "Settings", "describe", "example", "load", "markdown",
]  # fmt: skip
