package bench;

import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;

/** Turns an event into milliseconds to add to its queue; subclasses say which milliseconds. */
abstract class Keying implements FixedKeyProcessor<Key, Event, Long> {
    private final Tally tally;
    private final Map<String, String> cuts = new HashMap<>();
    private FixedKeyProcessorContext<Key, Long> context;
    private String partition;

    Keying(Tally tally) {
        this.tally = tally;
    }

    /** The milliseconds this event adds. */
    abstract long ms(FixedKeyRecord<Key, Event> record);

    @Override
    public void init(FixedKeyProcessorContext<Key, Long> context) {
        this.context = context;
        partition = context.taskId().partition() + Result.SEPARATOR;
    }

    @Override
    public void process(FixedKeyRecord<Key, Event> record) {
        if (!tally.takes()) {
            return;
        }
        long ms = ms(record);
        record.key().becomes(cut(record.value().queue()));
        context.forward(record.withValue(ms));
        if (tally.took()) {
            // Not to wait for the next commit interval, which is 30 s by default.
            context.commit();
        }
    }

    private String cut(String queue) {
        // The sums of two partitions meet in the result topic and must not overwrite each other.
        return cuts.computeIfAbsent(queue, name -> partition + name);
    }
}
