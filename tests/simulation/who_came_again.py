"""What a customer's contacts mean, the dumbest way: each is compared with every other one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from streams.core.brief import Brief
from streams.core.customer import Seen
from streams.core.facts import ContactFollowed, ContactSeen, Fact, SelfServed

DAY_MS = 86_400_000


def seen_of(contact: str, brief: Brief) -> Seen:
    """A record of a contact with this brief; where and when it was told means nothing here."""
    _, channel, queue, arrived_ms, *rest = brief
    return Seen(0, contact, 0, arrived_ms, channel, 0, queue, *rest)


def seen_in(row: Mapping[str, Any]) -> Seen:
    """The same of a record as it was written."""
    known = {name: row[name] for name in Brief._fields if name in row}
    return seen_of(row["contact"], Brief(**known))


def of_all(records: Mapping[tuple[str, str], Seen], zone: str = "UTC") -> list[tuple[Fact, int]]:
    """(customer, contact) -> its record, as facts."""
    by_customer: dict[str, list[Seen]] = {}
    for (customer, _), seen in records.items():
        by_customer.setdefault(customer, []).append(seen)
    return [(fact, 1) for seen in by_customer.values() for fact in of_one(seen, zone)]


def of_one(seen: Sequence[Seen], zone: str = "UTC") -> list[Fact]:
    """The facts of one customer, from the last record of each contact."""
    made = [s for s in seen if s.arrived_ms is not None and s.channel and not s.ours]
    facts: list[Fact] = [came(one, made, zone) for one in made]
    facts += [followed(one, made) for one in made if one.human]
    facts += [served(s, made) for s in seen if s.self_service_ms is not None and not s.ours]
    return facts


def at(one: Seen) -> int:
    assert one.arrived_ms is not None
    return one.arrived_ms


def earlier(one: Seen, made: Iterable[Seen]) -> list[Seen]:
    return [s for s in made if (at(s), s.contact) < (at(one), one.contact)]


def day(one: Seen, zone: str) -> date:
    return datetime.fromtimestamp(at(one) / 1000, ZoneInfo(zone)).date()


def came(one: Seen, made: Sequence[Seen], zone: str) -> ContactSeen:
    before = earlier(one, made)
    w1, w7, w30 = (any(at(one) - at(s) <= days * DAY_MS for s in before) for days in (1, 7, 30))
    today = [s for s in before if day(s, zone) == day(one, zone)]
    assert one.channel
    on_channel = all(s.channel != one.channel for s in today)
    return ContactSeen(one.channel, at(one), w1, w7, w30, one.reason, on_channel, not today)


def followed(one: Seen, made: Sequence[Seen]) -> ContactFollowed:
    after = [s for s in made if one in earlier(s, made) and at(s) - at(one) <= 30 * DAY_MS]
    alike = [s for s in after if one.issue_type is not None and s.issue_type == one.issue_type]
    doubts = [s for s in after if s.before and last_human(earlier(s, made)) == one]
    again, same = (min((at(s) - at(one) for s in some), default=None) for some in (after, alike))
    assert one.channel
    return ContactFollowed(
        one.queue, one.channel, at(one), one.issue_type, one.agent, again, same, bool(doubts)
    )


def last_human(made: Iterable[Seen]) -> Seen | None:
    return max((s for s in made if s.human), key=lambda s: (at(s), s.contact), default=None)


def served(one: Seen, made: Iterable[Seen]) -> SelfServed:
    assert one.self_service_ms is not None
    assert one.channel
    back = [
        s
        for s in made
        if s.contact != one.contact
        and (s.human or s.queue not in (None, "none"))
        and 0 <= at(s) - one.self_service_ms <= DAY_MS
    ]
    return SelfServed(one.channel, one.self_service_ms, one.contained and not back)
