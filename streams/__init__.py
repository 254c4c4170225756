"""Contact-centre telemetry in, exact KPIs out.

Platform events are read from Kafka, turned into facts about contacts and agents,
added up per minute and published as KPI results; ``docs/architecture.md`` tells how.
"""

__version__ = "0.1.0"
