"""How the brokers of tests are started."""

QUICK = ("-XX:TieredStopAtLevel=1",)
"""Without the optimising compiler, which a broker that lives for a minute never pays back: it took
a quarter of all processor time of the tests with a broker."""
