"""Names, types and labels of all metrics: public, and by the rules."""

from __future__ import annotations

from pathlib import Path

from streams import metrics
from streams.kpis import ALL_KPIS, ALL_MEASURES, amount_names
from streams.metrics import WorkerView

GOLDEN = Path(__file__).with_name("golden_metrics.txt")


def listed() -> str:
    rows = sorted(
        f"{f.name} {f.kind} {','.join(f.labels)}".rstrip() for f in metrics.all_families(ALL_KPIS)
    )
    return "\n".join(rows) + "\n"


def test_names_types_and_labels_are_the_listed_ones() -> None:
    """They are public.  If a change is meant, run ``python -m tests.sinks.test_metric_names``."""
    assert listed() == GOLDEN.read_text()


def test_names_follow_the_rules() -> None:
    families = list(metrics.all_families(ALL_KPIS))
    assert len({f.name for f in families}) == len(families)
    for family in families:
        assert family.name.startswith("cc_")
        assert family.name.endswith("_total") == (family.kind == "counter")
        assert family.help.endswith(".")
        clashing = {"region", "zone", "cluster", "service", "env", "customer", "instance", "job"}
        assert clashing.isdisjoint(family.labels)
        assert {"agent", "contact", "customer", "type"}.isdisjoint(family.labels)


def test_every_counter_reads_a_measure_that_exists() -> None:
    known = {name for m in ALL_MEASURES for name in amount_names(m)}
    for counter in metrics.COUNTERS:
        assert set(counter.measures) <= known
        for labels in counter.measures.values():
            assert len(labels) == len(counter.family.labels) - len(metrics.PLACE)


def test_every_field_of_the_worker_has_a_metric() -> None:
    fields = set(WorkerView.__dataclass_fields__) - {"state"}
    assert fields == set(metrics.WORKER)


if __name__ == "__main__":
    GOLDEN.write_text(listed())
