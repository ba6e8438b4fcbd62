"""Inside the VM: what a watchdog does."""


class WatchDogMode:
    RAISE = "RAISE"
    RESET = "RESET"
