"""How long Hypothesis searches: ``ci`` (the default, the same examples each time), or ``long``.

``HYPOTHESIS_PROFILE=long`` searches with new examples each time; the simulation's own searches
take their length from ``SEARCH_FACTOR`` (default 1).
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
SEARCH_FACTOR = float(os.environ.get("SEARCH_FACTOR", "1"))


def load() -> None:
    """Register both and take the one that is asked for."""
    settings.register_profile(
        "ci", max_examples=100, deadline=None, derandomize=True, suppress_health_check=SLOW
    )
    settings.register_profile(
        "long", max_examples=5_000, deadline=None, suppress_health_check=SLOW, print_blob=True
    )
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
