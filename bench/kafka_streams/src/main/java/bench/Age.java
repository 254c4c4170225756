package bench;

import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.state.KeyValueStore;

/** Job 2: keeps the state of each contact and adds the time since the contact's first event. */
final class Age extends Keying {
    static final String STORE = "contacts";

    private KeyValueStore<String, Contact> contacts;

    Age(Tally tally) {
        super(tally);
    }

    @Override
    public void init(FixedKeyProcessorContext<Key, Long> context) {
        super.init(context);
        contacts = context.getStateStore(STORE);
    }

    @Override
    long ms(FixedKeyRecord<Key, Event> record) {
        String contact = record.key().text();
        Contact known = contacts.get(contact);
        Contact now = known == null ? Contact.first(record.value()) : known.next(record.value());
        contacts.put(contact, now);
        return record.value().time() - now.firstMs();
    }
}
