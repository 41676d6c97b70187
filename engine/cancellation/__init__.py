"""What comes back when a booking is cancelled, and when what has to be paid: an ordered timeline, as data.

    policy.py      Policy: steps, each until when and what comes back; a deposit, and when the balance is due
    terms.py       Terms: a policy as it was agreed on for one booking, in instants and amounts; never changed after
    deadlines.py   the instants that steps speak of, in the venue's civil time
    refunds.py     what comes back at an instant
    parts.py       what is kept of a part, and the terms of the rest
    payments.py    what is due now, later, and at the venue
    stored.py      terms as JSON, and back

Everything here is a function of its arguments: no database, no clock, no network, no float.
"""
