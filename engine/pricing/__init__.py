"""What a booking costs before tax: rate plans and price rules, as functions of a request and facts.

    price.py       price_item: what one item costs, line by line, and in which order that comes about
    charges.py     Charge: one line of a price; the priced item that lines make; what is asked and known
    plans.py       RatePlan: what a night, a time, a person costs; plan_charges.py: what that makes of a request
    book.py        which plan and which rules of a resource decide over a day
    base.py        PriceRule, which every kind derives from, and the three ways in which ours move a price
    registry.py    kinds of price rules by name, and how parameters are checked
    plugins.py     price rules of other packages; missing.py: stored ones whose package is gone
    parameters.py  what plans and rules share

and a file per kind, called like it: season.py, weekday.py, promo_code.py.

Everything here is a function of its arguments: no database, no clock, no network, no float.
"""
