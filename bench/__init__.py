"""Benchmarks: programs, not tests.  ``make bench`` runs them; what they print goes into docs."""
