"""The contacts stage: events of contacts in, partials and levels out; a contact's state is the list
of its events.

A duplicate (by event id) changes nothing.  An open contact that is silent for longer than its
channel allows is closed as lost by the next tick; one that has been silent for the channel's whole
horizon is forgotten at the next border of a segment.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from operator import itemgetter

import msgspec

from streams import codec
from streams.core import events as ev
from streams.core.brief import Brief
from streams.core.contact import EVENTS_MAX, Contact, Kept
from streams.core.levels import ContactLevels, Open
from streams.core.measure import Post
from streams.core.partials import Register
from streams.core.signed import Signed
from streams.core.source import Record, Rejected
from streams.core.terms import Terms
from streams.core.visit import Visit
from streams.core.vocabulary import Channel, LostReason
from streams.stages import contact_record, wire
from streams.stages.base import Entity, Output, Seal
from streams.stages.forgetting import Lanes, flags_of, head_of, silent
from streams.stages.keyed import HEAD, SYSTEM, SegmentedStage

RESTARTS_MAX = 100
"""Restarts remembered per source."""
_CONTACT = b"c"
_LOST = b'"contact.lost"'
_pack = msgspec.msgpack.Encoder().encode
_unpack_kept = msgspec.msgpack.Decoder(tuple[msgspec.Raw, list[Kept]]).decode
_unpack_levels = msgspec.msgpack.Decoder(tuple[list[Open], msgspec.Raw]).decode
_unpack_restarts = msgspec.msgpack.Decoder(list[tuple[int, int]]).decode


class ContactsStage(SegmentedStage):
    """One partition of contact events."""

    name = "contacts"

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
        """``post`` adds up facts (``compile_measures``); events dated more than ``skew_ms`` ahead
        of their append time are refused (0: never)."""
        super().__init__(partition, segment_size, board_partitions)
        self._terms = terms
        self._post = post
        self._skew_ms = skew_ms
        self._levels = ContactLevels()
        self._contacts: dict[str, Contact | bytes] = {}
        self._proved: list[tuple[int, Sequence[Signed]]] = []
        """Position -> what its event proves, of the running batch."""
        self._changed_levels: list[tuple[str, list[Open], list[Open]]] = []
        """(Contact, what was open, what is) of the running batch."""
        self._quiet = Lanes()
        """Every contact."""
        self._open = Lanes()
        """Contacts with an open visit."""
        self._dirty: dict[str, None] = {}
        """Contacts that changed in this segment."""
        self._unsaid: dict[str, int] = {}
        """Contacts whose brief has changed since the last publish, and the position at which."""
        self._taken_back: list[Output] = []
        """Records for customers whose contact turned out to be another customer's."""
        self._restarts: dict[str, list[tuple[int, int]]] = {}
        """Source -> (offset, time) of its restarts, in the order of their times."""
        self._dirty_restarts: set[str] = set()
        self._kinds = {
            ev.Tick: self._tick,
            ev.Restarted: self._restarted,
            Rejected: self._reject,
        }

    def __len__(self) -> int:
        return len(self._contacts)

    @property
    def open_contacts(self) -> int:
        return len(self._open)

    # -- restore

    def start(self, committed: int) -> None:
        self.running.position = committed - 1
        self._buried.restore(self.versions, committed)
        found: list[tuple[int, str, Contact | bytes]] = []
        for position, key, value in self.versions.drain():
            if key.startswith(SYSTEM):
                self._start_system(key, value, committed)
            elif position < committed:
                found.append((position, key[1:].decode(), value))
            else:
                found += self._trimmed(key[1:].decode(), value, committed)
        # In the order in which they were heard of before the commit, whatever was told since.
        found.sort(key=itemgetter(0, 1))
        self._contacts = {name: contact for _, name, contact in found}
        for name, contact in self._contacts.items():
            if isinstance(contact, bytes):
                self._start_sealed(name, contact)
            else:
                self._quiet.add(name, contact.channel)
                self._note_open(name, contact)
        self._add_up()
        self._levels.take_changed()

    def _start_sealed(self, name: str, contact: bytes) -> None:
        head = head_of(contact)
        self._quiet.add(name, head.channel)
        if head.open:
            self._open.add(name, head.channel)
            self._levels.change(name, (), _unpack_levels(contact[HEAD.size :])[0])

    def _start_system(self, key: bytes, value: bytes, committed: int) -> None:
        if key == SYSTEM + b"mark":
            self.marks.restore(value, committed)
        else:
            rows = [r for r in _unpack_restarts(value[HEAD.size :]) if r[0] < committed]
            self._restarts[key[2:].decode()] = rows

    def _trimmed(self, name: str, value: bytes, committed: int) -> list[tuple[int, str, Contact]]:
        """The contact as of the commit, with its position then; nothing if it began later."""
        contact = self._thaw(value, committed)
        return [(contact.position, name, contact)] if contact.kept else []

    def _thaw(self, value: bytes, before: int | None = None) -> Contact:
        contact = Contact(self._terms)
        rows = _unpack_kept(value[HEAD.size :])[1]
        pairs = [(k, _decoded(k.raw)) for k in rows if before is None or k.offset < before]
        contact.refold(pairs)
        return contact

    def _woken(self, value: bytes) -> Contact:
        """A contact as it was written; what is open in it is counted already."""
        contact = self._thaw(value)
        contact.levels = contact.course.levels()
        return contact

    # -- absorb

    def absorb(self, records: Sequence[Record]) -> None:
        self._absorb_events(records, codec.decode_contact)
        self._add_up()

    def _add_up(self) -> None:
        """Post what was proved, each fact at its own position, and count the levels.

        Not event by event: what is added to stays in the processor's caches then.
        """
        running, cell, post = self.running, self.running.cell, self._post
        proved, self._proved = self._proved, []
        end = running.position
        for running.position, facts in proved:
            for fact, sign in facts:
                post(fact, sign, cell)
        running.position = end
        changed, self._changed_levels = self._changed_levels, []
        for name, old, new in changed:
            self._levels.change(name, old, new)

    def _event(self, record: Record, event: ev.ContactEvent) -> None:
        contact = self._contact(event.contact)
        if contact.knows(event):
            self.counts["duplicates"] += 1
            self._repeated.add(event.contact)
            return
        if len(contact.kept) >= EVENTS_MAX:
            self._repeated.add(event.contact)
            self._reject(
                record,
                Rejected("contact.events_max", f"more than {EVENTS_MAX} events of one contact"),
            )
            return
        self.marks.see(event.time)
        assert record.value is not None
        self._add(contact, event, Kept(record.offset, record.timestamp, record.value))
        restarts = self._restarts.get(event.source)
        if restarts and contact.course.journey.began_ms < restarts[-1][1]:
            for _, time_ms in restarts:
                self._lose_if_older(contact, event.contact, event.source, time_ms, record)

    def _contact(self, name: str) -> Contact:
        contact = self._contacts.get(name)
        if contact is None:
            contact = self._contacts[name] = Contact(self._terms)
        elif isinstance(contact, bytes):
            contact = self._contacts[name] = self._woken(contact)
        return contact

    def _add(self, contact: Contact, event: ev.ContactEvent, kept: Kept) -> None:
        name, channel = event.contact, contact.channel
        self._proved.append((kept.offset, contact.add(kept, event)))
        self._dirty[name] = None
        self._quiet.move(name, channel, contact.channel)
        self._open.discard(name, channel)
        self._note_open(name, contact)
        self._note_brief(name, contact)

    def _note_brief(self, name: str, contact: Contact) -> None:
        """What is told of a contact must be a function of the log.  So its brief is compared event
        by event, not with what happened to be written last: a paused former owner may have written
        what stood in between, and only a later position takes that back."""
        before, now = contact.brief, contact.course.brief()
        if now == before:
            return
        contact.brief = now
        self._unsaid[name] = contact.position
        if before is not None and (now is None or now.customer != before.customer):
            nothing = Brief(before.customer)
            self._taken_back.append(self._record(name, contact.position, nothing))

    def _note_open(self, name: str, contact: Contact) -> None:
        now = contact.course.levels()
        if now != contact.levels:
            self._changed_levels.append((name, contact.levels, now))
            contact.levels = now
        if now:
            self._open.add(name, contact.channel)

    # -- time and restarts: both act by adding an event to the contacts they concern

    def _tick(self, record: Record, tick: ev.Tick) -> None:
        if not self._tells_time(record, tick):
            return
        for name in self._silent(tick.time):
            contact = self._contact(name)
            last = contact.events[-1]
            channel = contact.channel
            at = min(tick.time, contact.last_ms + self._terms.patience[channel].silence_ms)
            self._lose(contact, name, last.source, channel, at, "silence", record)

    def _silent(self, now_ms: int) -> list[str]:
        """Who is given up now; by name, because they all get the position of the tick."""
        due: list[str] = []
        for channel, lane in self._open.by_channel.items():
            heard_until_ms = now_ms - self._terms.patience[channel].silence_ms
            due += silent(lane, self._heard, heard_until_ms)
        return sorted(due)

    def _heard(self, name: str) -> tuple[int, int]:
        """The contact's position, and when it was heard of last."""
        contact = self._contacts[name]
        if isinstance(contact, bytes):
            return head_of(contact)[:2]
        return contact.position, contact.heard_ms

    def _restarted(self, record: Record, event: ev.Restarted) -> None:
        self.counts["restarts"] += 1
        known = self._restarts.setdefault(event.source, [])
        if any(time_ms == event.time for _, time_ms in known):
            return
        # Who was lost by a later restart may have been lost by this one already.
        late = any(time_ms > event.time for _, time_ms in known)
        insort(known, (record.offset, event.time), key=lambda row: row[1])
        del known[:-RESTARTS_MAX]
        self._dirty_restarts.add(event.source)
        for name in sorted(self._contacts if late else self._open):
            kept = self._contacts[name]
            if isinstance(kept, bytes):
                if not head_of(kept).open and _LOST not in kept:
                    continue
                kept = self._woken(kept)
            self._lose_if_older(kept, name, event.source, event.time, record)

    def _lose_if_older(
        self, contact: Contact, name: str, source: str, time_ms: int, record: Record
    ) -> None:
        """A contact of ``source`` that was open when its platform restarted is gone."""
        first = contact.events[0]
        opened = [
            v.entered_ms for v in contact.course.journey.visits if v.open or _lost_after(v, time_ms)
        ]
        if first.source == source and opened and min(opened) < time_ms:
            self._lose(contact, name, source, first.channel, time_ms, "restart", record)

    def _lose(
        self,
        contact: Contact,
        name: str,
        source: str,
        channel: Channel,
        at_ms: int,
        reason: LostReason,
        record: Record,
    ) -> None:
        event_id = f"lost:{reason}:{at_ms}"
        if event_id in contact.ids:
            return
        event = ev.Lost(
            id=event_id, source=source, contact=name, time=at_ms, channel=channel, reason=reason
        )
        self.counts[f"lost.{reason}"] += 1
        self._contacts[name] = contact
        self._add(contact, event, Kept(record.offset, record.timestamp, codec.encode(event)))

    # -- publish and seal

    def publish(self) -> list[Output]:
        """Partials, registers, the mark, contact records, dead letters: what changed since the last
        call."""
        outputs = self._partials()
        self._levels.pass_time(self.marks.mark_ms)
        for cut, values in self._levels.take_changed():
            outputs.append(
                self._to_board(
                    cut,
                    wire.encode(Register(self.running.origin, cut, self.running.position, values)),
                )
            )
        outputs += self._mark()
        outputs += self._records()
        return outputs + self._letters_taken()

    def _records(self) -> list[Output]:
        """One per contact whose customer is known and whose brief has changed."""
        outputs, self._taken_back = self._taken_back, []
        changed, self._unsaid = self._unsaid, {}
        for name, position in changed.items():
            contact = self._contacts[name]
            assert isinstance(contact, Contact)
            if contact.brief is not None:
                outputs.append(self._record(name, position, contact.brief))
        return outputs

    def _record(self, name: str, position: int, brief: Brief) -> Output:
        value = contact_record.encode(self.running.origin, position, name, brief)
        return Output("records", brief.customer.encode(), value)

    def seal(self, end: int) -> Seal:
        outputs = self.publish()
        start = self.segment_start
        entities = [self._entity(name) for name in self._dirty]
        entities += [self._restarts_entity(source, end) for source in self._dirty_restarts]
        entities += self._leave(_CONTACT, self._forget(start), end)
        entities.append(self.marks.border(end))
        self._dirty, self._dirty_restarts = {}, set()
        return Seal(outputs, (), entities, end)

    def _entity(self, name: str) -> Entity:
        contact = self._contacts[name]
        assert isinstance(contact, Contact)
        is_open = name in self._open.by_channel[contact.channel]
        flags = flags_of(is_open, contact.channel)
        head = HEAD.pack(contact.position, contact.heard_ms, flags)
        value = head + _pack((contact.levels, contact.kept))
        if not is_open:
            # An ended contact is kept as bytes until somebody speaks of it again.
            self._contacts[name] = value
        return Entity(_CONTACT + name.encode(), value)

    def _restarts_entity(self, source: str, end: int) -> Entity:
        value = HEAD.pack(end - 1, 0, 0) + _pack(self._restarts[source])
        return Entity(SYSTEM + b"s" + source.encode(), value)

    def _forget(self, start: int) -> list[str]:
        """Contacts past the horizon of their channel; not open ones, whose levels count until their
        end is known."""
        gone = []
        for channel, lane in self._quiet.by_channel.items():
            until_ms = self.marks.mark_ms - self._terms.patience[channel].horizon_ms
            still_open = self._open.by_channel[channel]
            for name in list(silent(lane, self._heard, until_ms, start)):
                if name not in still_open and name not in self._repeated:
                    del self._contacts[name], lane[name]
                    gone.append(name)
        return gone


def _lost_after(visit: Visit, time_ms: int) -> bool:
    """Somebody waited at ``time_ms`` and was given up only later."""
    return visit.left is not None and visit.left.outcome == "lost" and visit.left.left_ms > time_ms


def _decoded(raw: bytes) -> ev.ContactEvent:
    event = codec.decode_contact(raw)
    assert isinstance(event, ev.ContactEvent), "a kept event was decoded before it was kept"
    return event
