package bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** The state of one contact; {@code firstMs} is the time of its first event, epoch ms. */
record Contact(String queue, long firstMs, int events) {
    static final Serde<Contact> SERDE =
            Serdes.serdeFrom((topic, contact) -> bytes(contact), (topic, data) -> of(data));

    static Contact first(Event event) {
        return new Contact(event.queue(), event.time(), 1);
    }

    Contact next(Event event) {
        return new Contact(event.queue(), firstMs, events + 1);
    }

    private static byte[] bytes(Contact contact) {
        byte[] queue = contact.queue.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(12 + queue.length)
                .putLong(contact.firstMs)
                .putInt(contact.events)
                .put(queue)
                .array();
    }

    private static Contact of(byte[] data) {
        if (data == null) {
            return null;
        }
        ByteBuffer buffer = ByteBuffer.wrap(data);
        String queue = new String(data, 12, data.length - 12, StandardCharsets.UTF_8);
        return new Contact(queue, buffer.getLong(), buffer.getInt());
    }
}
