"""A larger week, by hand: ``python -m tests.week --contacts 20000 --agents 12 --seed 7``.

Everything goes through a real Kafka and two workers, in no order, partly told twice, and then all
of it once more.  Ends with 1 if one number in the KPI topics is not the true one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from random import Random

from streams.kafka.embedded import EmbeddedCluster
from tests.week.comparing import differences
from tests.week.expected import results
from tests.week.through_kafka import through
from tests.week.week import Week

SHOWN = 20


def main() -> int:
    options = _options()
    began = time.monotonic()
    week = Week(options.seed, options.contacts, options.agents)
    wanted = dict(results(week.facts(), week.terms))
    _tell(f"{len(week.events)} events of contacts, {len(week.agent_events)} of agents")
    with EmbeddedCluster().start(lambda *_: None) as broker:
        stand = through(broker.bootstrap, "week", week, Random(options.seed))
    wrong = differences(stand, wanted)
    for line in wrong[:SHOWN]:
        _tell(line)
    summary = {
        "contacts": options.contacts, "seed": options.seed, "results": len(wanted),
        "kpis": len({name[0] for name in wanted}), "wrong": len(wrong),
        "seconds": round(time.monotonic() - began),
    }  # fmt: skip
    print(json.dumps(summary) if options.json else _sentence(summary))
    return 1 if wrong else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--contacts", type=int, default=5_000)
    parser.add_argument("--agents", type=int, default=6)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _sentence(summary: dict[str, int]) -> str:
    return (
        "{contacts} contacts, seed {seed}: {results} results of {kpis} KPIs expected, "
        "{wrong} wrong; {seconds} s".format(**summary)
    )


if __name__ == "__main__":
    sys.exit(main())
