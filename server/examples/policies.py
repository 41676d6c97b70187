"""Cancellation policies of the example venues."""

from engine.cancellation.deciding import parse
from server.examples.kinds import ExamplePolicy

GUESTHOUSE = (
    ExamplePolicy(
        "FLEXIBLE",
        "Free until a week before, then half, then all but the first night",
        parse(
            {
                "steps": [
                    {"hoursAfterBooking": 24, "refund": "100"},
                    {"daysBefore": 7, "at": "18:00", "refund": "100"},
                    {"daysBefore": 2, "at": "18:00", "refund": "50"},
                    {"hoursBefore": 0, "nights": 1},
                ],
                "deposit": {"percent": "30"},
                "balance": {"daysBefore": 14},
            }
        ),
    ),
    ExamplePolicy("NON_REFUNDABLE", "Not refundable", parse({"plans": ["NON_REFUNDABLE"]})),
)

SPACES = (
    ExamplePolicy("DAY_BEFORE", "Free until the day before", parse({"steps": [{"hoursBefore": 24, "refund": "100"}]})),
)

TOURS = (
    ExamplePolicy(
        "TWO_DAYS",
        "Free until two days before, then half",
        parse({"steps": [{"hoursBefore": 48, "refund": "100"}, {"hoursBefore": 24, "refund": "50"}]}),
    ),
)
