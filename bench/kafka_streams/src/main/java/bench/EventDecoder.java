package bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Deserializer;

/** Jackson's streaming parser: no tree and no reflection, the quick way to read JSON in Java. */
final class EventDecoder implements Deserializer<Event> {
    private final JsonFactory json = new JsonFactory();

    @Override
    public Event deserialize(String topic, byte[] data) {
        try (JsonParser parser = json.createParser(data)) {
            return read(parser);
        } catch (IOException error) {
            throw new SerializationException("an event that is not JSON", error);
        }
    }

    private static Event read(JsonParser parser) throws IOException {
        long time = -1;
        long talkMs = 0;
        String queue = null;
        parser.nextToken();
        String field;
        while ((field = parser.nextFieldName()) != null) {
            JsonToken value = parser.nextToken();
            switch (field) {
                case "time" -> time = parser.getLongValue();
                case "queue" -> queue = parser.getText();
                case "talk_ms" -> talkMs = value == JsonToken.VALUE_NULL ? 0 : parser.getLongValue();
                default -> parser.skipChildren();
            }
        }
        return checked(new Event(time, queue, talkMs));
    }

    private static Event checked(Event event) {
        if (event.time() < 0 || event.queue() == null) {
            throw new SerializationException("an event without time or queue");
        }
        return event;
    }
}
