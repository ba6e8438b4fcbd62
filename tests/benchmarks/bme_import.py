"""Every recording of BME AI-Studio in a folder, and every project: python tests/benchmarks/bme_import.py FOLDER

For each, how many scans there are by a count of its own (rows of step 0, of a project its cycles), how many were taken
or dropped, and why; exit status 1 where they don't add up.
"""

import sqlite3
import sys
import tempfile
from collections import Counter
from pathlib import Path
from shutil import copyfile

import numpy as np
from dibble_tools.common.errors import InputError
from dibble_tools.data.heater_scans.assemble import assemble
from dibble_tools.data.heater_scans.importing import read_files_of_studio


def cycles_of(path: Path) -> int:
    """Return how many cycles AI-Studio itself counts in a project."""
    with tempfile.TemporaryDirectory() as folder:
        for name in (path.name, path.name + "-wal"):
            if path.with_name(name).is_file():
                copyfile(path.with_name(name), Path(folder) / name)
        db = sqlite3.connect(Path(folder) / path.name)
        return int(db.execute("SELECT count(*) FROM cycles").fetchone()[0])


def main() -> int:
    folder = Path(sys.argv[1])
    files = sorted(p for p in folder.rglob("*") if ".bmerawdata" in p.name or p.name == "project.db")
    reasons: Counter[str] = Counter()
    wrong = read = scans = 0
    for path in files:
        try:
            found = read_files_of_studio([path])
        except InputError as error:
            print(f"{path.name}: {error}")
            continue
        read += 1
        came = assemble(found.recordings)
        starts = sum(int(np.count_nonzero(one.rows["step"] == 0)) for one in found.recordings)
        expected = cycles_of(path) if path.suffix == ".db" else starts
        # A piece without its first step is one more than there are first steps.
        more = came.counted - expected
        good = 0 <= more <= sum(came.dropped.values()) if path.suffix != ".db" else more == 0
        wrong += not good
        scans += len(came.scans)
        reasons += came.dropped
        dropped = ", ".join(f"{count} {reason}" for reason, count in came.dropped.most_common()) or "none"
        print(
            f"{path.name}: {expected} expected, {len(came.scans)} taken; dropped: {dropped}{'' if good else '  WRONG'}"
        )
    print(f"{len(files)} files, {read} read, {scans:,} scans taken, {sum(reasons.values()):,} dropped: {dict(reasons)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
