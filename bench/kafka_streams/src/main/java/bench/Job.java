package bench;

import java.time.Duration;
import java.util.Map;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.state.WindowStore;

/** The topologies, written with the DSL as its documentation does. */
final class Job {
    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final Duration HOUR = Duration.ofHours(1);
    private static final Duration GRACE = Duration.ofMinutes(10);

    private final int number;
    private final Variant variant;
    private final boolean cached;
    private final Tally tally;

    /** {@code cached}: contacts are written when the cache says so, not at each event. */
    Job(int number, Variant variant, boolean cached, Tally tally) {
        if (number != 1 && number != 2 && number != 4) {
            throw new IllegalArgumentException("the jobs are 1, 2 and 4, not " + number);
        }
        this.number = number;
        this.variant = variant;
        this.cached = cached;
        this.tally = tally;
    }

    /** What the windows hold, each event counted once however many windows it is in. */
    Sum totals() {
        return tally.totals(number == 4 ? (int) HOUR.dividedBy(MINUTE) : 1);
    }

    Topology topology(String topic, String output) {
        StreamsBuilder builder = new StreamsBuilder();
        Serde<Event> events = Serdes.serdeFrom((ignored, event) -> null, new EventDecoder());
        KStream<Key, Event> arriving = builder.stream(topic, Consumed.with(Key.SERDE, events));
        amounts(builder, arriving)
                .groupByKey(Grouped.with(Key.SERDE, Serdes.Long()))
                .windowedBy(windows())
                .aggregate(() -> Sum.NONE, (key, ms, sum) -> added(sum, ms), sums())
                .toStream()
                .processValues(Appended::new)
                .to(output, Produced.with(Result.KEY, Result.VALUE));
        return builder.build();
    }

    private KStream<Key, Long> amounts(StreamsBuilder builder, KStream<Key, Event> arriving) {
        if (number != 2) {
            return arriving.processValues(() -> new Talk(tally));
        }
        builder.addStateStore(contacts());
        return arriving.processValues(() -> new Age(tally), Age.STORE);
    }

    private TimeWindows windows() {
        return number == 4
                ? TimeWindows.ofSizeAndGrace(HOUR, GRACE).advanceBy(MINUTE)
                : TimeWindows.ofSizeAndGrace(MINUTE, GRACE);
    }

    private Sum added(Sum sum, long ms) {
        tally.added(ms);
        return sum.plus(ms);
    }

    /** Their changelog keeps old events' windows, else a replay would lose them to retention. */
    private Materialized<Key, Sum, WindowStore<Bytes, byte[]>> sums() {
        return Materialized.<Key, Sum, WindowStore<Bytes, byte[]>>as("sums")
                .withKeySerde(Key.SERDE)
                .withValueSerde(Sum.SERDE)
                .withLoggingEnabled(Map.of(TopicConfig.RETENTION_MS_CONFIG, "-1"))
                .withStoreType(variant.stores());
    }

    private StoreBuilder<?> contacts() {
        var kept =
                variant.onDisk()
                        ? Stores.persistentKeyValueStore(Age.STORE)
                        : Stores.inMemoryKeyValueStore(Age.STORE);
        var builder = Stores.keyValueStoreBuilder(kept, Serdes.String(), Contact.SERDE);
        return cached ? builder.withCachingEnabled() : builder;
    }
}
