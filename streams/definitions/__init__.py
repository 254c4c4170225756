"""Definitions for people and programs: what a KPI is, where it goes, what its series cost.

Everything here is derived from ``streams.kpis``; ``docs/kpis.md`` is generated from it
(``python -m streams.definitions > docs/kpis.md``), ``contact-streams kpi show`` prints one.
"""

from streams.definitions.markdown import markdown
from streams.definitions.series import Series, series
from streams.definitions.words import described, plain, told

__all__ = ["Series", "described", "markdown", "plain", "series", "told"]
