package bench;

/** What the jobs need of an event; times in epoch ms, talk in ms. */
record Event(long time, String queue, long talkMs) {}
