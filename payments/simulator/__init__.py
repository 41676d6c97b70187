"""The payment simulator: the part of Stripe's HTTP API that Vacancy uses, in a process of its own, on loopback.

It is spoken to with unmodified stripe-python, and takes test keys and test cards only. `docs/payments-simulator.md`
tells what it does, how to make it fail, and where it differs from Stripe. It knows nothing of bookings.
"""
