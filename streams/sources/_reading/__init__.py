"""What adapters share: bodies within bounds, instants, names, blocks of headers.

Nothing here knows a platform, and nothing here is one: the name begins with an underscore, so the
search for sources passes it over.
"""
