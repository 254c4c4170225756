"""The engines that are measured: each a process of its own, all with one contract
(``contract.py``)."""
