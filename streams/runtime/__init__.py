"""The shell on Faust: assignment, fetching, recovery and the one loop that runs every stage.

Only this package imports Faust.  ``folding`` makes one Faust event out of a whole fetch, ``tables``
lets Faust recover our changelogs into stages, ``owner`` writes and commits for one partition,
``loop`` drives them, ``app`` puts it together.
"""
