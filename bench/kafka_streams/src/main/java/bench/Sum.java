package bench;

import java.nio.ByteBuffer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;

/** How many events, and the sum of their milliseconds; 16 bytes when stored. */
record Sum(long count, long sumMs) {
    static final Sum NONE = new Sum(0, 0);
    static final Serde<Sum> SERDE =
            Serdes.serdeFrom((topic, sum) -> bytes(sum), (topic, data) -> of(data));

    Sum plus(long ms) {
        return new Sum(count + 1, sumMs + ms);
    }

    private static byte[] bytes(Sum sum) {
        return sum == null
                ? null
                : ByteBuffer.allocate(16).putLong(sum.count).putLong(sum.sumMs).array();
    }

    private static Sum of(byte[] data) {
        if (data == null) {
            return null;
        }
        ByteBuffer buffer = ByteBuffer.wrap(data);
        return new Sum(buffer.getLong(), buffer.getLong());
    }
}
