"""A job that does what it's asked for, to see what the studio makes of it: python -m studio_sample_job."""

import os
import subprocess
import sys
import time
from typing import Any

from dibble_tools.common.errors import InputError
from dibble_tools.studio.job_process import run, tell


def work(request: dict[str, Any]) -> dict[str, Any]:
    if request["do"] == "refuse":
        raise InputError("expected a CSV, got a pumpkin")
    if request["do"] == "crash":
        1 / 0  # noqa: B018
    if request["do"] == "vanish":
        os._exit(7)
    if request["do"] == "wait":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        print(os.getpid(), child.pid, sep="\n", flush=True)
        time.sleep(60)
    if request["do"] == "keep":
        try:
            tell(step="searching", share=0.1)
            for _ in range(6000):
                time.sleep(0.01)
        except KeyboardInterrupt:
            return {"words": ["the best so far"]}
    tell(step="half", share=0.5, log="a note")
    print("not JSON", flush=True)
    return {"words": ["well"]}


if __name__ == "__main__":
    run(work)
