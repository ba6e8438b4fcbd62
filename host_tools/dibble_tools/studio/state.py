"""What every open tab shows: parts that are JSON-ready, each replaced whole; whoever waits is woken."""

import threading
from collections.abc import Callable
from typing import Any


class State:
    """The one truth of a studio; any thread may write it."""

    def __init__(self) -> None:
        self._parts: dict[str, Any] = {}
        self._version = 0
        self._wakers: list[Callable[[], object]] = []
        self._lock = threading.Lock()

    def put(self, **parts: Any) -> None:
        """Replace parts by values that nobody changes afterwards, and wake all subscribers."""
        with self._lock:
            self._parts |= parts
            self._version += 1
            wakers = list(self._wakers)
        for wake in wakers:
            wake()

    def get(self, part: str) -> Any:
        """Return a part; KeyError before it was first put."""
        with self._lock:
            return self._parts[part]

    def snapshot(self) -> dict[str, Any]:
        """Return all parts, and their version, which only grows."""
        with self._lock:
            return {**self._parts, "version": self._version}

    def subscribe(self, wake: Callable[[], object]) -> Callable[[], None]:
        """Call `wake` after each change, from the thread that made it; return what ends that."""
        with self._lock:
            self._wakers.append(wake)

        def end() -> None:
            with self._lock:
                self._wakers.remove(wake)

        return end
