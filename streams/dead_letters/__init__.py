"""Dead letters read, judged again and sent back.

Pure: ``letter`` (what a record of the topic says), ``choosing``, ``counting``, ``reasons`` (every
code there is), ``judging`` (would it be taken today), ``ledger`` (which were sent back), ``pace``.
Thin: ``reading``, ``sending``, ``replaying``.
"""
