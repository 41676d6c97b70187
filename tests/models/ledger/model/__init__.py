"""The model check: whatever is asked in whatever order, the ledger answers as an oracle that counts would.

`asks.py` what is asked; `oracle.py` what should be answered; `world.py` the ledger in PostgreSQL, with a clock that the
test moves; `machine.py` drives both and compares; `faults.py` what the machine must find when it is put there.
"""
