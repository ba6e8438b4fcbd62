"""The log's folder where its names can't be read."""

import os
import shutil

from dibble_tools.common.shipped import LIBRARY
from dibble_tools.machines.vms import run_unix

SCRIPT = """
from dibble.storage.record_log import RecordLog
log = RecordLog("log", b"MODL", 1, 1024, 4, 1)
print("begins:", log.error)
log.error = ""
log.append(b"record")
print("appends:", log.error)
print(list(log.read_from(1)))
"""


def test_a_garbled_folder_is_an_error_of_the_log_and_nothing_in_it_is_written_over(tmp_path):
    shutil.copytree(LIBRARY, tmp_path / "lib" / "dibble")
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "000001.seg").write_bytes(b"acknowledged")
    (tmp_path / os.fsdecode(b"log/\xff\xfe.seg")).write_bytes(b"")
    (tmp_path / "run.py").write_text(SCRIPT)
    begins, appends, read = run_unix(tmp_path, "run.py").stdout.splitlines()
    assert begins.startswith("begins: log: expected to read and write log")
    assert appends.startswith("appends: log: expected to read and write log")
    assert read == "[]"
    assert (tmp_path / "log" / "000001.seg").read_bytes() == b"acknowledged"
