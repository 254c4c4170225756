"""What can happen in a world, as small tuples that a search can draw and shrink.

``(op, part, who, n)``: ``part`` counts through the partitions, ``who`` through the owner and its
zombies, ``n`` is how much or which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from random import Random

from tests.simulation.kafka import Transaction
from tests.simulation.seat import Seat
from tests.simulation.world import World

Action = tuple[str, int, int, int]


def do(world: World, actions: Iterable[Action]) -> None:
    for op, part, who, n in actions:
        place = world.parts[part % len(world.parts)]
        if op in ON_SEATS:
            seats = world.seats(place)
            ON_SEATS[op](seats[who % len(seats)], n)
        elif op == "feed":
            world.feed(1 + n)
        elif op == "take":
            world.take(place)
        elif op == "stay":
            world.stay(place)
        elif op == "back":
            world.back(place)
        elif op == "crash":
            world.crash(place, n)
        elif op == "hole":
            _hole(world, place[1])
        elif op == "compact" and world.rules.cleaner:
            _compact(world, place, n)


def _run(seat: Seat, n: int) -> None:
    for _ in range(2):
        seat.absorb(1 + n)
        if seat.started:
            return


def _write(seat: Seat, n: int) -> None:
    for choice in range(1 + n):
        if seat.alive:
            seat.write(choice)


def _flush(seat: Seat, n: int) -> None:
    seat.flush(Random(n))


def _begin(seat: Seat, n: int) -> None:
    while not seat.started:
        seat.step()


def _again(seat: Seat, n: int) -> None:
    """Faust may deliver from before again after an assignment."""
    seat.fetch = max(0, seat.fetch - 1 - n)


def _skip(seat: Seat, n: int) -> None:
    """Faust may drop what it has fetched around a rebalance."""
    if seat.started:
        seat.fetch += 1 + n


ON_SEATS: dict[str, Callable[[Seat, int], None]] = {
    "run": _run,
    "write": _write,
    "flush": _flush,
    "begin": _begin,
    "fail": lambda seat, n: seat.fail(n // 2, n % 2 == 1),
    "told": lambda seat, n: seat.told() if seat.world.owners[seat.part] is not seat else None,
    "again": _again,
    "skip": _skip,
}


def _hole(world: World, n: int) -> None:
    """A foreign transaction ends in a topic that we read: its marker takes an offset."""
    log = world.kafka.log("contact-events", n % max(1, world.plan.partitions.get("contacts", 1)))
    transaction = Transaction()
    transaction.committed = True
    log.mark(transaction)


def _compact(world: World, place: tuple[str, int], n: int) -> None:
    """The cleaner passes over a changelog: it drops what it may, some of it or all."""
    log = world.kafka.log(f"changelog-{place[0]}", place[1])
    log.compact(Random(n), 1.0 if n % 2 else 0.5)
