"""Recorded series: of each gauge of a KPI the rows of its newest owner.

While partitions move a row is at two workers for up to a scrape interval, and a worker that was cut
off may go on showing what it has.  Each kind of row comes with its revision (an offset of the
board's log), and the row is right where that is highest; where they are equal, so are the values.
What nobody owns has no row: it is absent, not 0, and marked stale at the next evaluation.
"""

from __future__ import annotations

from deploy.names import GAUGES, REVISIONS, recorded
from deploy.rules.rule import Record

INSTANCE = "instance, pod, container, endpoint"
"""Labels that tell workers apart.  All others that a deployment adds (job, namespace ...) stay."""

SITE = "job, namespace"
"""Labels of one deployment, to match what has no queue; one that is not there is empty."""


def owners() -> tuple[Record, ...]:
    """Of each kind of row the revisions of the newest owners.  Recorded, because comparing is most
    of the work and most kinds of rows are shared by many gauges."""
    names = dict.fromkeys(revision.name for revision in REVISIONS.values())
    return tuple(
        Record(
            owner(name),
            f"""
            {name}
            == ignoring ({INSTANCE}) group_left ()
              max without ({INSTANCE}) ({name})
            """,
        )
        for name in names
    )


def owner(revision: str) -> str:
    """The recorded series of a revision; it tells workers apart.

    >>> owner("cc_window_revision")
    'instance:cc_window_revision:newest'
    """
    return f"instance:{revision}:newest"


def newest(metric: str) -> Record:
    """The recorded series of a gauge."""
    revision = REVISIONS[metric]
    constants = ", ".join(GAUGES[metric].labels[len(revision.labels) :])
    return Record(
        recorded(metric),
        f"""
        max without ({INSTANCE}) (
            {metric}
          and{f" ignoring ({constants})" if constants else ""}
            {owner(revision.name)}
        )
        """,
    )
