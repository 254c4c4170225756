"""What an operations team runs, and the programs that write the generated part of it.

``python -m deploy`` writes everything anew; ``python -m deploy --check`` tells what differs.
"""
