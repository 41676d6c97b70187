"""The example organizations as data: what they offer, and who has booked what of it on which day.

Everything here is a pure function of the calendar: a day's bookings are the same whenever and wherever they are asked
for, and all of them fit together. `server.seed` puts them in.
"""

from collections.abc import Sequence

from server.examples import atlas, lagoon, mirante
from server.examples.kinds import Example

EXAMPLES: Sequence[Example] = (atlas.EXAMPLE, mirante.EXAMPLE, lagoon.EXAMPLE)
