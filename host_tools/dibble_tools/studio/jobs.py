"""Long work, one piece at a time, each in a process of its own: the page stays live, and the work can be stopped.

A job is a module that reads one line of JSON from stdin, what it's asked for, and writes lines of JSON to stdout:
{"step": words, "share": 0..1}, {"log": words}, {"result": {...}} or {"problem": words}. It ends when stdin does, so
that it doesn't outlive the studio (`job_process` is its side).
"""

import json
import re
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from dibble_tools.common.errors import InputError
from dibble_tools.studio import process_group
from dibble_tools.studio.state import State

MOST_LOG_LINES = 400
MOST_LINE_BYTES = 65536
OPTION = re.compile(r"^--[a-z-]+: ")  # of a command, which some errors name first
RUNNING, STOPPING, DONE, FAILED, CANCELLED = "running", "stopping", "done", "failed", "cancelled"
IDLE: dict[str, Any] = {"kind": None, "state": None, "step": "", "share": None, "log": [], "result": None}


class Jobs:
    """Runs jobs and shows the last one in the state's part "job"."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._kept: deque[str] = deque(maxlen=MOST_LOG_LINES)
        self._cancelled = False
        state.put(job=IDLE)

    @property
    def running(self) -> bool:
        """Whether a job runs, or is ending."""
        return self._thread is not None and self._thread.is_alive()

    def start(
        self,
        kind: str,
        module: str,
        request: dict[str, Any],
        after: Callable[[dict[str, Any] | None], None] = lambda result: None,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> None:
        """Start a job.

        Args:
            kind: "train" or "deploy", for the page.
            module: run as `python -m module`.
            request: for the job, JSON-ready.
            after: called in another thread when it has ended, with its result, None where it has none.
            meanwhile: called there after each line that it says.
        Raises:
            InputError: another one runs.
        """
        with self._lock:
            if self.running:
                raise InputError(
                    f"expected nothing else to run, but there is already a job ({self._state.get('job')['kind']}): "
                    "wait until it ends, or stop it"
                )
            self._cancelled = False
            self._kept.clear()
            self._state.put(job={**IDLE, "kind": kind, "state": RUNNING, "step": "starting"})
            command = [sys.executable, "-m", module]
            self._process = process_group.started(command)
            assert self._process.stdin
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
            self._thread = threading.Thread(target=self._follow, args=(self._process, after, meanwhile), daemon=True)
            self._thread.start()

    def finish_early(self) -> None:
        """Ask the job to end with what it has, as Ctrl-C does to a command; nothing where none runs."""
        self._end_by(process_group.interrupt)

    def cancel(self) -> None:
        """End the job without a result; nothing where none runs."""
        self._cancelled = True
        self._end_by(process_group.end)

    def close(self) -> None:
        """End the job, and wait for that."""
        self.cancel()
        if self._thread:
            self._thread.join(2 * process_group.KILL_AFTER_S)

    def _end_by(self, means: Callable[["subprocess.Popen[bytes]"], None]) -> None:
        with self._lock:
            process = self._process
            if not self.running or process is None or process.poll() is not None:
                return
            self._state.put(job={**self._state.get("job"), "state": STOPPING})
            means(process)

    def _follow(
        self,
        process: subprocess.Popen[bytes],
        after: Callable[[dict[str, Any] | None], None],
        meanwhile: Callable[[], object],
    ) -> None:
        """Read what the job says until it ends."""
        result, problem = None, ""
        assert process.stdout and process.stdin
        while line := process.stdout.readline(MOST_LINE_BYTES):
            said = _said(line)
            result = said.get("result", result)
            problem = said.get("problem", problem)
            job = self._state.get("job")
            if "step" in said:
                job = {**job, "step": said["step"], "share": said.get("share", job["share"])}
            if "log" in said:
                self._kept.append(said["log"])
            self._state.put(job={**job, "log": list(self._kept)})
            meanwhile()
        code = process.wait()
        process_group.end(process)
        process.stdin.close()
        process.stdout.close()
        if self._cancelled and result is None:
            state, step = CANCELLED, "stopped"
        elif result is not None and not problem:
            state, step = DONE, "done"
        else:
            state, step = FAILED, OPTION.sub("", problem) or f"expected a result, but the work ended with status {code}"
        try:
            after(result)
        finally:
            job = self._state.get("job")
            self._state.put(job={**job, "state": state, "step": step, "result": result})


def _said(line: bytes) -> dict[str, Any]:
    """Return what a line of a job says; what isn't JSON is a line of its log."""
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    return said if isinstance(said, dict) else {"log": line.decode(errors="replace").rstrip()}
