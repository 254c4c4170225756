"""The five stages: ingest, contacts, staff, customers, board.

Each is a small deterministic class; one loop runs all.
"""
