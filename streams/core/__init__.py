"""The pure core: events in, facts, measures, partials, cells and results out.

Nothing in here reads a clock, a socket, an environment or a random number; import-linter checks it.
"""
