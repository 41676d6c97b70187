"""What is owed to the state and the town for a booking: functions of charges, stays, parties and what taxes are set.

    base.py          Tax, which every kind derives from; who stays, and the line that comes out
    assess.py        `assess`: the charges of a booking in, the lines of its taxes out
    count.py         the counting itself, line by line
    lines.py         what percentages are taken of: charges, with discounts and surcharges spread over them
    shares.py        whole minor units of exact ones, as the tax says that it is rounded
    deciding.py      which of several rules of one tax decides on a day
    registry.py      the kinds by name; parameters checked, and read again
    plugins.py       kinds of other packages
    order.py         taxes on taxes: which comes first, and what can not be
    parameters.py, nights.py    what kinds share

    bill.py          what a tax provider is asked where one counts, and what it answers

and a file per kind: percent.py, per_night.py, per_person_night.py, per_stay.py, per_booking.py, provided.py.
docs/taxes.md tells what each does. Nothing here is advice on what is owed: a venue sets its own taxes.

Everything here is a function of its arguments: no database, no clock, no network, no float.
"""
