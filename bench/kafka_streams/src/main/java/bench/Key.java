package bench;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/**
 * The contact of an event when it arrives, its queue (and partition) when it is added up.
 *
 * <p>It changes in place because the DSL would send the records through a repartition topic if it
 * saw the key change, and no engine of this benchmark does: sums are kept per source partition.
 */
final class Key {
    static final Serde<Key> SERDE = Serdes.serdeFrom((topic, key) -> key.bytes(), reading());

    private String text;

    Key(String text) {
        this.text = text;
    }

    String text() {
        return text;
    }

    void becomes(String other) {
        text = other;
    }

    private byte[] bytes() {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static Deserializer<Key> reading() {
        return (topic, data) -> new Key(new String(data, StandardCharsets.UTF_8));
    }

    @Override
    public String toString() {
        return text;
    }
}
