package bench;

import org.apache.kafka.streams.processor.api.FixedKeyRecord;

/** Jobs 1 and 4: adds the event's talking time. */
final class Talk extends Keying {
    Talk(Tally tally) {
        super(tally);
    }

    @Override
    long ms(FixedKeyRecord<Key, Event> record) {
        return record.value().talkMs();
    }
}
