"""What a venue allows: rules are data, and each kind of rule is one small file with one pure function.

    base.py           Refusal, RuleRequest, RuleFacts, and the Rule that every kind derives from
    registry.py       rule types by name; `parse` checks parameters, `evaluate` asks all rules
    limits.py         the platform's own limits, which hold before and besides any rule
    opening_hours.py  OPENING_HOURS   the weekly hours in which a request must lie
    start_grid.py     START_GRID      the times of day at which a request may start
    session_times.py  SESSION_TIMES   the weekly sessions, one of which a request must be
    customer_limit.py CUSTOMER_LIMIT  how many bookings a customer has that are still to come
    no_overlap.py     NO_OVERLAP      a customer is at one place at a time; scope.py: where these two count
    pacing.py         PACING          how many arrive in each part of the day
    capacity_share.py CAPACITY_SHARE  how much of the capacity one booking takes
    gap.py            GAP             no free nights that are left too few to book
    buffers.py        BUFFERS         capacity that is taken before and after the guest is there
    approval_required.py APPROVAL_REQUIRED  the venue looks at a booking before it is confirmed
    slots.py          the times that can be offered under a set of rules
    weeks.py          what the weekly rules share; spans.py: lists of intervals

Everything here is a function of its arguments: no database, no clock, no network.
"""
