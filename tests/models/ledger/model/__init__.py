"""The model check: whatever is asked in whatever order, the ledger answers as an oracle that counts would.

`asks.py` what is asked; `oracle.py` what should be answered, by `room.py` (how much there is) and `waiting.py` (who
waits for it), about `things.py`; `world.py` the ledger in PostgreSQL, which `making.py` makes anew for each example,
with a clock that the test moves; `machine.py` drives both and compares, as chance says (`strategies.py`, `focus.py`);
`faults.py` what the machine must find when it is put there.
"""
