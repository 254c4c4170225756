"""All benchmarks: ``python -m bench``."""

from __future__ import annotations

import sys

from bench import voice_events

if __name__ == "__main__":
    sys.exit(voice_events.main(sys.argv[1:]))
