"""The customers stage: contact records in, repeat contacts and first-contact resolution out.
Keyed by the customer's pseudonym.

A customer nobody has told of for as long as contacts count (``KEEP_MS``) is forgotten at the next
border of a segment.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

import msgspec

from streams.core.customer import CONTACTS_MAX, KEEP_MS, Seen, facts, settle, too_old
from streams.core.measure import Post
from streams.core.signed import Signed, difference, standing
from streams.core.source import Record, Rejected
from streams.core.terms import Terms
from streams.stages import contact_record
from streams.stages.base import Entity, Output, Seal
from streams.stages.contact_record import ContactRecord
from streams.stages.forgetting import head_of, silent
from streams.stages.keyed import HEAD, SYSTEM, SegmentedStage

_CUSTOMER = b"u"
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(list[Seen]).decode


class CustomersStage(SegmentedStage):
    """One partition of contact records."""

    name = "customers"

    def __init__(
        self,
        partition: int,
        *,
        terms: Terms,
        post: Post,
        segment_size: int,
        board_partitions: int,
        skew_ms: int = 0,
    ) -> None:
        super().__init__(partition, segment_size, board_partitions)
        self._post = post
        self._zone = terms.default.zone
        self._customers: dict[str, list[Seen] | bytes] = {}
        """As bytes until somebody speaks of them (again)."""
        self._dirty: dict[str, None] = {}
        self._asked = False
        """Whether somebody wants to know how far this is."""
        self._settled: dict[str, list[Seen]] = {}
        """Whom this segment has told of, without the records that it cannot need."""
        self._means: dict[str, list[Signed]] = {}
        """What those records mean, of whom it has told something new."""
        self._quiet: dict[str, None] = {}
        """Every customer, the one not heard of for longest first."""

    def __len__(self) -> int:
        return len(self._customers)

    def start(self, committed: int) -> None:
        self.running.position = committed - 1
        self._buried.restore(self.versions, committed)
        found: list[tuple[int, str, list[Seen] | bytes]] = []
        for position, key, value in self.versions.drain():
            if key == SYSTEM + b"mark":
                self.marks.restore(value, committed)
            elif position < committed:
                found.append((position, key[1:].decode(), value))
            elif rows := [row for row in _rows(value) if row.offset < committed]:
                found.append((rows[-1].offset, key[1:].decode(), rows))
        # In the order in which they were heard of before the commit, whatever was told since.
        found.sort(key=itemgetter(0))
        self._customers = {name: customer for _, name, customer in found}
        self._quiet = dict.fromkeys(self._customers)

    def absorb(self, records: Sequence[Record]) -> None:
        self._begin(records)
        for record in records:
            self.running.position = record.offset
            if record.key == contact_record.ASKED:
                self._asked = True
                continue
            try:
                told = contact_record.decode(record.value or b"")
            except (msgspec.DecodeError, UnicodeDecodeError):
                self._reject(record, Rejected("schema.invalid", "not a contact record"))
                continue
            self._record(record, told)
        self.counts["events"] += len(records)

    def _record(self, record: Record, told: ContactRecord) -> None:
        known = self._known(told.customer)
        if any(r.contact == told.contact and r.position >= told.position for r in known):
            self.counts["duplicates"] += 1
            self._repeated.add(told.customer)
            return
        seen = _seen(record, told)
        if refused := _refused(known, seen):
            self._repeated.add(told.customer)
            self._reject(record, refused)
            return
        before = self._means.get(told.customer)
        if before is None:
            before = standing(facts(known, self._zone))
        known.append(seen)
        now = self._means[told.customer] = standing(facts(known, self._zone))
        for fact, sign in difference(before, now):
            self._post(fact, sign, self.running.cell)
        self._customers[told.customer] = known
        self._dirty[told.customer] = None
        self._quiet.pop(told.customer, None)
        self._quiet[told.customer] = None
        self.marks.see(told.arrived_ms or 0)

    def _known(self, customer: str) -> list[Seen]:
        settled = self._settled.get(customer)
        if settled is None:
            known = self._customers.get(customer, [])
            rows = _rows(known) if isinstance(known, bytes) else known
            settled = self._settled[customer] = settle(rows, self.segment_start)
        return settled

    def publish(self) -> list[Output]:
        """Partials, dead letters, and how far it has come if somebody has asked."""
        outputs = self._partials()
        if self._asked:
            self._asked = False
            outputs += self._marks_sent()
        return outputs + self._letters_taken()

    def seal(self, end: int) -> Seal:
        outputs = self.publish()
        start = self.segment_start
        entities = [self._entity(name) for name in self._dirty]
        entities += self._leave(_CUSTOMER, self._forget(start), end)
        entities.append(self.marks.border(end))
        self._dirty, self._settled, self._means = {}, {}, {}
        return Seal(outputs, (), entities, end)

    def _entity(self, name: str) -> Entity:
        rows = self._customers[name]
        assert not isinstance(rows, bytes), "who is spoken of is not bytes"
        value = HEAD.pack(*_heard(rows), 0) + _pack(rows)
        self._customers[name] = value
        return Entity(_CUSTOMER + name.encode(), value)

    def _forget(self, start: int) -> list[str]:
        """Customers of whom nobody has told for so long."""
        until_ms = self.marks.mark_ms - KEEP_MS
        quiet = silent(self._quiet, self._heard, until_ms, start)
        gone = [name for name in quiet if name not in self._repeated]
        for name in gone:
            del self._customers[name], self._quiet[name]
        return gone

    def _heard(self, name: str) -> tuple[int, int]:
        customer = self._customers[name]
        return head_of(customer)[:2] if isinstance(customer, bytes) else _heard(customer)


def _refused(known: Sequence[Seen], seen: Seen) -> Rejected | None:
    """Why a record is not taken, if so."""
    if len(known) >= CONTACTS_MAX:
        return Rejected("customer.contacts_max", f"more than {CONTACTS_MAX} contacts of a customer")
    if too_old(seen, known):
        return Rejected("customer.contact_old", "a contact long before the customer's latest")
    return None


def _heard(rows: Sequence[Seen]) -> tuple[int, int]:
    """Their position, and when they were heard of last, by their contacts' times and by the log's
    (ADR 4)."""
    return rows[-1].offset, max(max(row.arrived_ms or 0, row.told_ms) for row in rows)


def _rows(sealed: bytes) -> list[Seen]:
    return _unpack(sealed[HEAD.size :])


def _seen(record: Record, told: ContactRecord) -> Seen:
    return Seen(
        record.offset,
        told.contact,
        told.position,
        told.arrived_ms,
        told.channel,
        record.timestamp,
        told.queue,
        told.issue_type,
        told.agent,
        told.reason,
        told.human,
        told.ours,
        told.before,
        told.self_service_ms,
        told.contained,
    )
