"""Where the ids of a log begin that is new: behind every id that an earlier log in its place can have given out.

Ids of a log in memory begin again when the server is started again. A reader that comes back with a cursor of before would
then be refused only as long as the new log is shorter than the old one, and afterwards miss messages without a word. Behind
the clock, in microseconds, no log can have come: that would take a million messages a second. So such a cursor is always
too old. JavaScript counts that far exactly (2^53 µs are the year 2255).
"""

import time


def begin() -> int:
    """The id behind which a new log begins."""
    return time.time_ns() // 1000
