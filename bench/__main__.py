"""All engines side by side: ``python -m bench``.

Each engine gets the same topic, the same job and one core; the broker and this program get the
others.  Everything is done three times, the engines in turn.  What comes out: a table, a chart and
every raw number, in bench/results/<date>/.  docs/benchmark-method.md tells what each engine does.
"""

from __future__ import annotations

import argparse
import importlib
import shlex
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import peers, report
from bench.catalogue import BY_NAME, ENGINES, JOBS, QUICK_MOST, Engine
from bench.harness import Measurement
from bench.session import Plan, Session, Told, pinning, prepared
from streams.errors import StreamsError

EXAMPLES = f"""
jobs:
{chr(10).join(f"  {job}  {text}" for job, text in JOBS.items())}

engines:
  {", ".join(BY_NAME)}

examples:
  python -m bench                                  everything, some 40 minutes
  python -m bench --quick                          a few minutes: does it work here?
  python -m bench --jobs 2 --engines ours,kstreams-memory-tuned
  python -m bench --jobs 1 --engines ours --repeats 1 --events 1000000 --json
  python -m bench --all                            every_channel, latency, growth, recovery and
                                                   soak too
  python -m bench.every_channel --help             one worker, all KPIs, all channels
"""
OTHERS = ("every_channel", "latency", "growth", "recovery", "soak")
RESULTS = Path(__file__).with_name("results")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m bench",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--jobs", type=_jobs, default=list(JOBS), metavar="1,2,3,4")
    parser.add_argument("--engines", type=_engines, metavar="NAME,NAME")
    parser.add_argument(
        "--events",
        type=int,
        metavar="N",
        help="events for the fastest engine, slower ones in proportion (default: 3,000,000)",
    )
    parser.add_argument("--repeats", type=int, default=3, metavar="N")
    parser.add_argument("--quick", action="store_true", help="few events, once: a smoke test")
    parser.add_argument("--json", action="store_true", help="raw numbers on standard output")
    parser.add_argument("--output", type=Path, metavar="FOLDER")
    parser.add_argument(
        "--all", action="store_true", help=f"then also bench.{', bench.'.join(OTHERS)}"
    )
    return parser


def _jobs(text: str) -> list[int]:
    chosen = [int(word) for word in text.split(",")]
    if wrong := [job for job in chosen if job not in JOBS]:
        raise argparse.ArgumentTypeError(f"there is no job {wrong[0]}; there are {list(JOBS)}")
    return sorted(chosen)


def _engines(text: str) -> list[Engine]:
    chosen = text.split(",")
    if wrong := [name for name in chosen if name not in BY_NAME]:
        raise argparse.ArgumentTypeError(
            f"there is no engine {wrong[0]}; there are {', '.join(BY_NAME)}"
        )
    # In the order of the list, whatever the order they are named in.
    return [engine for engine in ENGINES if engine.name in chosen]


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 1 if an engine failed or was wrong, 2 if nothing could be measured."""
    given = _parser().parse_args(arguments)
    # So that engines and the broker end with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        code = _measure(given)
    except StreamsError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nended; what was measured so far is in the folder", file=sys.stderr)
        return 130
    return max([code, *(_other(name) for name in OTHERS)]) if given.all else code


def _measure(given: argparse.Namespace) -> int:
    plan = _plan(given)
    told = Told(len(list(plan.turns())))
    now = datetime.now(UTC)
    folder = given.output or RESULTS / now.strftime("%Y-%m-%d-%H%M")
    results: list[Measurement] = []
    session = Session(plan, told, lambda result: _keep(result, results, folder, said))
    words = shlex.join(["python", "-m", "bench", *sys.argv[1:]])
    said = report.about(words, now.strftime("%Y-%m-%d %H:%M UTC"), pinning(session.cores))
    session.run()
    _chart(folder, results, told)
    print(report.as_json(results, said).decode() if given.json else _table(folder))
    return 1 if any(result.problem for result in results) else 0


def _plan(given: argparse.Namespace) -> Plan:
    named = given.engines is not None
    most = QUICK_MOST if given.quick and given.events is None else given.events
    repeats = 1 if given.quick else given.repeats
    wanted = Plan(given.engines or ENGINES, given.jobs, repeats, most, named)
    needed = {engine.name for _, _, engine in wanted.turns()}
    engines = prepared([engine for engine in wanted.engines if engine.name in needed], _say)
    plan = wanted._replace(engines=engines)
    if not list(plan.turns()):
        raise StreamsError("there is nothing to measure", "no engine is left that does these jobs")
    return plan


def _keep(
    result: Measurement, results: list[Measurement], folder: Path, said: dict[str, str]
) -> None:
    results.append(result)
    report.write(folder, results, said)


def _chart(folder: Path, results: Sequence[Measurement], told: Told) -> None:
    """A chart that cannot be drawn takes nothing away from the numbers."""
    try:
        peers.prepare(_say)
        report.chart(folder / "results.png", results, report.machine())
    except StreamsError as error:
        told.say(str(error))
    told.say(f"results are in {folder}")


def _table(folder: Path) -> str:
    return (folder / "results.md").read_text("utf-8")


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _other(name: str) -> int:
    """A benchmark with a program of its own."""
    _say(f"\nbench.{name}")
    code: int = importlib.import_module(f"bench.{name}").main([])
    return code


if __name__ == "__main__":
    sys.exit(main())
