package bench;

import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;

/**
 * Dates results by the time they are written.
 *
 * <p>Kafka Streams dates them by event time, and the broker deletes as too old what a replay of last
 * month's events has just written.
 */
final class Appended implements FixedKeyProcessor<Windowed<Key>, Sum, Sum> {
    private FixedKeyProcessorContext<Windowed<Key>, Sum> context;

    @Override
    public void init(FixedKeyProcessorContext<Windowed<Key>, Sum> context) {
        this.context = context;
    }

    @Override
    public void process(FixedKeyRecord<Windowed<Key>, Sum> record) {
        context.forward(record.withTimestamp(context.currentSystemTimeMs()));
    }
}
