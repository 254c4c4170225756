package bench;

import java.util.concurrent.atomic.AtomicLong;

/**
 * What the stream thread has done so far, read by the main thread.
 *
 * <p>One thread writes, so an ordered store is enough: an atomic addition per event would be a cost
 * that the peer's users do not have.
 */
final class Tally {
    private final long events;
    private final AtomicLong processed = new AtomicLong();
    private final AtomicLong count = new AtomicLong();
    private final AtomicLong sumMs = new AtomicLong();

    Tally(long events) {
        this.events = events;
    }

    /** Whether this event is one of those asked for; the topic may hold more. */
    boolean takes() {
        return processed.getPlain() < events;
    }

    /** Returns whether this was the last event asked for. */
    boolean took() {
        long now = processed.getPlain() + 1;
        processed.lazySet(now);
        return now == events;
    }

    /** Adds what one window took in. */
    void added(long ms) {
        count.lazySet(count.getPlain() + 1);
        sumMs.lazySet(sumMs.getPlain() + ms);
    }

    long processed() {
        return processed.get();
    }

    boolean complete() {
        return processed() >= events;
    }

    /** What the windows hold, each event counted once though it is in {@code windows} of them. */
    Sum totals(int windows) {
        if (count.get() % windows != 0) {
            throw new IllegalStateException("an event is missing in some of its windows");
        }
        return new Sum(count.get() / windows, sumMs.get() / windows);
    }
}
