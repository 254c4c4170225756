"""Kafka outside the hot path, by kafka-python: topics, readers for the command line, and a
real broker for demo, tests and developers. The worker itself speaks to Kafka in ``runtime``."""
