"""Fed while waiting, on the credit of completed cycles."""

from dibble.watchdog import Watchdog


class Port:
    def __init__(self):
        self.fed = 0
        self.timeout = None

    def start_watchdog(self, timeout_ms):
        self.timeout = timeout_ms

    def feed_watchdog(self):
        self.fed += 1


def test_waits_feed_until_the_credit_is_spent():
    port = Port()
    dog = Watchdog(port, 8000, 5000)
    for _ in range(10):
        dog.waited(2000)
    assert (port.timeout, port.fed) == (8000, 3)


def test_a_completed_cycle_grants_the_next():
    port = Port()
    dog = Watchdog(port, 8000, 4000)
    for _ in range(3):
        dog.waited(2000)
    dog.completed()
    assert port.fed == 3
    for _ in range(3):
        dog.waited(2000)
    assert port.fed == 5


def test_none_without_a_timeout():
    port = Port()
    Watchdog(port, 0, 4000)
    assert port.timeout is None


def test_short_waits_feed_together():
    port = Port()
    dog = Watchdog(port, 8000, 10000)
    for _ in range(25):
        dog.waited(100)
    assert port.fed == 2
