"""A bus on metres of cable loses an answer now and then: ask again before it is a fault."""

from dibble import SensorError


def twice(question, *arguments):
    """Return question(*arguments); where that raises SensorError, what the second try returns or raises."""
    try:
        return question(*arguments)
    except SensorError:
        return question(*arguments)
