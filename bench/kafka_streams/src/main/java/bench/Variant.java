package bench;

import java.util.Locale;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.state.BuiltInDslStoreSuppliers;
import org.apache.kafka.streams.state.DslStoreSuppliers;

/** The settings under which the same topologies are measured. What is not named is the default. */
enum Variant {
    MEMORY,
    MEMORY_TUNED,
    ROCKSDB,
    EOS;

    private static final int KB = 1024;
    private static final int MB = 1024 * KB;

    static Variant named(String name) {
        try {
            return valueOf(name.replace('-', '_').toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException error) {
            throw new IllegalArgumentException("no variant " + name + "; try --help", error);
        }
    }

    boolean onDisk() {
        return this == ROCKSDB;
    }

    /**
     * Whether the contacts are cached above their store, which the builder does not do by itself.
     *
     * <p>In 10 MB of cache it costs more than it saves, in 256 MB it saves most changelog records.
     */
    boolean caches() {
        return this == MEMORY_TUNED;
    }

    DslStoreSuppliers stores() {
        return onDisk()
                ? new BuiltInDslStoreSuppliers.RocksDBDslStoreSuppliers()
                : new BuiltInDslStoreSuppliers.InMemoryDslStoreSuppliers();
    }

    /** Sets what distinguishes the variant. */
    void configure(Properties settings) {
        if (this == EOS) {
            settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        }
        if (this == MEMORY_TUNED) {
            tune(settings);
        }
    }

    private static void tune(Properties settings) {
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 256L * MB);
        settings.put(StreamsConfig.BUFFERED_RECORDS_PER_PARTITION_CONFIG, 10_000);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 256 * KB);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 100);
        settings.put(StreamsConfig.producerPrefix(ProducerConfig.BUFFER_MEMORY_CONFIG), 128L * MB);
        settings.put(StreamsConfig.consumerPrefix(ConsumerConfig.MAX_POLL_RECORDS_CONFIG), 10_000);
        settings.put(
                StreamsConfig.consumerPrefix(ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG),
                4 * MB);
    }
}
