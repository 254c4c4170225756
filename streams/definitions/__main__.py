"""``python -m streams.definitions > docs/kpis.md``: the documentation of all KPIs."""

from __future__ import annotations

import sys

from streams.definitions import markdown

if __name__ == "__main__":
    sys.stdout.write(markdown())
