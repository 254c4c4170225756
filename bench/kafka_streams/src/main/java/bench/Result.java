package bench;

import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.kstream.Windowed;

/** A record of the output topic: {@code partition|queue|start in ms}, and JSON, as all engines. */
final class Result {
    static final String SEPARATOR = "|";
    static final Serde<Windowed<Key>> KEY =
            Serdes.serdeFrom((topic, key) -> bytes(key(key)), unread());
    static final Serde<Sum> VALUE = Serdes.serdeFrom((topic, sum) -> bytes(json(sum)), unread());

    private Result() {}

    private static String key(Windowed<Key> window) {
        return window.key().text() + SEPARATOR + window.window().start();
    }

    private static String json(Sum sum) {
        return "{\"count\":" + sum.count() + ",\"sum\":" + sum.sumMs() + "}";
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static <T> Deserializer<T> unread() {
        return (topic, data) -> {
            throw new SerializationException("results are written only");
        };
    }
}
