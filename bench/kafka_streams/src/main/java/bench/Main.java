package bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;

/** One run of one job: {@code java bench.Main --help}. */
public final class Main {
    private static final long REPORT_MS = 100;
    private static final long COMMIT_POLL_MS = 50;
    private static final Duration CLOSE = Duration.ofSeconds(10);

    private final Arguments arguments;
    private final Variant variant;
    private final Tally tally;
    private final Job job;

    private Main(Arguments arguments) {
        this.arguments = arguments;
        variant = Variant.named(arguments.text("variant"));
        tally = new Tally(arguments.number("events"));
        boolean cached = arguments.option("cached", variant.caches());
        job = new Job((int) arguments.number("job"), variant, cached, tally);
    }

    public static void main(String[] words) throws Exception {
        if (Arrays.asList(words).contains("--help")) {
            System.out.print(Arguments.HELP);
            return;
        }
        try {
            new Main(new Arguments(words)).run();
        } catch (IllegalArgumentException error) {
            System.err.println(error.getMessage());
            System.exit(2);
        }
    }

    private void run() throws IOException, ExecutionException, InterruptedException {
        Path folder = Files.createTempDirectory("kafka-streams-");
        String topic = arguments.text("topic");
        String output = arguments.text("output");
        try (Cluster cluster =
                new Cluster(arguments.text("bootstrap"), arguments.text("group"), topic)) {
            cluster.make(output, (int) arguments.number("partitions"));
            KafkaStreams streams =
                    new KafkaStreams(job.topology(topic, output), settings(folder));
            stopsWhenKilled(streams, folder);
            streams.setUncaughtExceptionHandler(error -> failed(error, folder));
            streams.start();
            report(cluster);
        }
        // The hook closes the rest; a stream thread is no daemon and would keep us alive.
        System.exit(0);
    }

    private Properties settings(Path folder) {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, arguments.text("group"));
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, arguments.text("bootstrap"));
        settings.put(StreamsConfig.STATE_DIR_CONFIG, folder.toString());
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(
                StreamsConfig.DEFAULT_TIMESTAMP_EXTRACTOR_CLASS_CONFIG, EventTime.class.getName());
        settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        variant.configure(settings);
        arguments.settings().forEach(pair -> settings.put(pair[0], pair[1]));
        return settings;
    }

    private void report(Cluster cluster) throws ExecutionException, InterruptedException {
        while (!tally.complete()) {
            sayProcessed();
            Thread.sleep(REPORT_MS);
        }
        while (cluster.committed() < tally.processed()) {
            sayProcessed();
            Thread.sleep(COMMIT_POLL_MS);
        }
        Sum totals = job.totals();
        say(
                "{\"finished\": %d, \"totals\": {\"count\": %d, \"sum\": %d}}"
                        .formatted(tally.processed(), totals.count(), totals.sumMs()));
    }

    private void sayProcessed() {
        long processed = tally.processed();
        // Nothing before the first: the harness takes that for the start.
        if (processed > 0) {
            say("{\"processed\": " + processed + "}");
        }
    }

    private static void say(String line) {
        System.out.println(line);
        if (System.out.checkError()) {
            // Nobody reads any more: the harness is gone.
            System.exit(1);
        }
    }

    private static StreamThreadExceptionResponse failed(Throwable error, Path folder) {
        error.printStackTrace();
        remove(folder);
        // Not exit: its hook would wait for this very thread.
        Runtime.getRuntime().halt(1);
        return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
    }

    private static void stopsWhenKilled(KafkaStreams streams, Path folder) {
        Runtime.getRuntime()
                .addShutdownHook(
                        new Thread(
                                () -> {
                                    streams.close(CLOSE);
                                    remove(folder);
                                }));
    }

    private static void remove(Path folder) {
        try (Stream<Path> found = Files.walk(folder)) {
            found.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
