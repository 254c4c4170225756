package bench;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The command line that all engines of the benchmark share, and {@code --variant}. */
final class Arguments {
    static final String HELP =
            """
            Runs one job of the benchmark with Kafka Streams, on one stream thread.

              --bootstrap HOST:PORT   brokers
              --topic NAME            events: JSON with time, queue, talk_ms; key: the contact
              --job 1|2|4             1 sums per queue and minute; 2 contact state and sums;
                                      4 rolling hour by minute
              --group NAME            application id; also the first part of changelogs' names
              --output NAME           topic for the results, made if it is missing
              --events N              end when so many are processed and committed
              --partitions N          of the output topic, if it is made
              --variant NAME          memory, memory-tuned, rocksdb or eos
              --option KEY=VALUE      set.NAME=VALUE: one more setting of Kafka Streams;
                                      cached=true|false: a cache above the contacts' store or not;
                                      others (warmup=N) are the harness's and change nothing here

            Writes {"processed": n} ten times a second, then
            {"finished": n, "totals": {"count": c, "sum": s}}.
            """;

    private final Map<String, String> values = new HashMap<>();
    private final Map<String, String> options = new HashMap<>();
    private final List<String[]> settings = new ArrayList<>();

    Arguments(String[] words) {
        for (int at = 0; at < words.length; at += 2) {
            if (!words[at].startsWith("--") || at + 1 == words.length) {
                throw new IllegalArgumentException("not understood: " + words[at] + "; try --help");
            }
            put(words[at].substring(2), words[at + 1]);
        }
    }

    String text(String name) {
        String value = values.get(name);
        if (value == null) {
            throw new IllegalArgumentException("--" + name + " is missing; try --help");
        }
        return value;
    }

    long number(String name) {
        return Long.parseLong(text(name));
    }

    /** An option that is true or false. */
    boolean option(String name, boolean otherwise) {
        return Boolean.parseBoolean(options.getOrDefault(name, Boolean.toString(otherwise)));
    }

    /** Settings of Kafka Streams given by {@code --option set.NAME=VALUE}: name and value. */
    List<String[]> settings() {
        return settings;
    }

    private void put(String name, String value) {
        if (!name.equals("option")) {
            values.put(name, value);
            return;
        }
        String[] option = value.split("=", 2);
        if (option.length != 2) {
            throw new IllegalArgumentException("--option " + value + " has no =; try --help");
        }
        if (option[0].startsWith("set.")) {
            settings.add(new String[] {option[0].substring(4), option[1]});
        } else {
            options.put(option[0], option[1]);
        }
    }
}
