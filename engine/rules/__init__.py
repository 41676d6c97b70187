"""What a venue allows: rules are data, and each kind of rule is one small file with one pure function.

    base.py        Refusal, RuleRequest, RuleFacts, and the Rule that every kind derives from
    registry.py    rule types by name; `parse` checks parameters (parsing.py), `evaluate` asks all rules
    deciding.py    which of a resource's rules decide over a request
    placed.py      where and when something that was set has its say
    limits.py      the platform's own limits, which hold before and besides any rule
    slots.py       the times that can be offered under a set of rules
    plugins.py     rules of other packages; missing.py: stored ones whose package is gone
    guests.py      a party within bounds, and as it is stored
    reference.py   docs/rules.md, made from the classes
    scope.py       where rules about a customer count
    parameters.py, weeks.py, days.py, spans.py    what rules share

and a file per type, called like it: opening_hours.py, blackout.py, notice.py. docs/rules.md tells what each does.

Everything here is a function of its arguments: no database, no clock, no network.
"""
