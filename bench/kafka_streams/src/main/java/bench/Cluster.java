package bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicExistsException;

/** What the main thread asks the broker: how many events the group has committed. */
final class Cluster implements AutoCloseable {
    private final Admin admin;
    private final String group;
    private final Map<TopicPartition, Long> begin;

    Cluster(String bootstrap, String group, String topic)
            throws ExecutionException, InterruptedException {
        admin = Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap));
        this.group = group;
        begin = begin(topic);
    }

    /** Makes a topic unless it is there. */
    void make(String topic, int partitions) throws ExecutionException, InterruptedException {
        NewTopic wanted = new NewTopic(topic, Optional.of(partitions), Optional.empty());
        try {
            admin.createTopics(List.of(wanted)).all().get();
        } catch (ExecutionException error) {
            if (!(error.getCause() instanceof TopicExistsException)) {
                throw error;
            }
        }
    }

    /** Events before the group's committed offsets, over all partitions. */
    long committed() throws ExecutionException, InterruptedException {
        Map<TopicPartition, OffsetAndMetadata> offsets =
                admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get();
        long events = 0;
        for (Map.Entry<TopicPartition, Long> first : begin.entrySet()) {
            OffsetAndMetadata next = offsets.get(first.getKey());
            events += next == null ? 0 : next.offset() - first.getValue();
        }
        return events;
    }

    private Map<TopicPartition, Long> begin(String topic)
            throws ExecutionException, InterruptedException {
        Map<TopicPartition, OffsetSpec> asked =
                partitions(topic).stream()
                        .collect(Collectors.toMap(Function.identity(), one -> OffsetSpec.earliest()));
        Map<TopicPartition, ListOffsetsResultInfo> found = admin.listOffsets(asked).all().get();
        return found.entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, one -> one.getValue().offset()));
    }

    private List<TopicPartition> partitions(String topic)
            throws ExecutionException, InterruptedException {
        int count =
                admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic)
                        .partitions().size();
        List<TopicPartition> all = new ArrayList<>();
        for (int number = 0; number < count; number++) {
            all.add(new TopicPartition(topic, number));
        }
        return all;
    }

    @Override
    public void close() {
        admin.close();
    }
}
