"""``contact-streams doctor``: is this deployment well, and what is to be done where it is not.

*Looking* (``look`` and those below it) is kept apart from *judging* (``connection``, ``layout``,
``progress``, ``processes``): a judge is a function of what was seen, named by its parameters, to a
verdict.  Nothing is written anywhere: no record, no commit, no group.
"""

from __future__ import annotations

from streams.doctor.examine import NAMES, Unmade, chosen, examine
from streams.doctor.finding import STATUSES, Finding, Status
from streams.doctor.look import Look

__all__ = ["NAMES", "STATUSES", "Finding", "Look", "Status", "Unmade", "chosen", "examine"]
