"""What axe-core finds on the studio's pages, light and dark, wide and as on a phone: python studio_axe.py axe.min.js

`npm pack axe-core` brings it. Needs chromium and chromedriver; exit status 1 where there is a violation.
"""

import math
import os
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "host" / "support"))

from dibble_tools.fleet.database import open_database
from dibble_tools.fleet.intake import Intake
from fleet_messages import message
from selenium.webdriver.support.ui import WebDriverWait
from studio_process import StudioProcess, chromium

PAGES = ("setup", "connect", "collect", "record", "label", "train", "deploy", "watch", "fleet")
SCREENS = ((1280, 900, False), (390, 844, True))
DIBBLE = [sys.executable, "-c", "from dibble_tools.cli.main import main; main()"]
RUN = "const done = arguments[0]; axe.run(document).then((found) => done([found.violations, found.passes.length]))"


def write_field(path: Path) -> None:
    """Write readings with two labels, and some without."""
    lines = ["time,node,air_temperature_centi_c,soil_moisture_permille,label"]
    for i in range(400):
        soil = round(300 + 200 * math.sin(i / 20))
        label = "dry" if soil < 250 else "wet" if soil > 380 else ""
        when = datetime(2026, 5, 1) + timedelta(minutes=10 * i, days=3 * (i >= 150))  # three days without readings
        lines.append(f"{when},bed-1,{round(1500 + 800 * math.sin(i / 23))},{soil + i % 7},{label}")
    path.write_text("\n".join(lines) + "\n")


def look(driver: Any, studio: StudioProcess, axe: str) -> int:
    """Print what axe-core says of each page; return how many violations."""
    found = 0
    driver.get(f"http://127.0.0.1:{studio.port}/?token={studio.token}")
    for page in PAGES:
        driver.get(f"http://127.0.0.1:{studio.port}/#{page}")
        if page == "label":
            time.sleep(0.6)  # until the file's rows are there
            driver.execute_script("document.querySelector('#suggest').click()")
            WebDriverWait(driver, 120).until(lambda _: driver.find_elements("css selector", "#suggested button"))
        for width, height, phone in SCREENS:
            for scheme in ("light", "dark"):
                features = [{"name": "prefers-color-scheme", "value": scheme}]
                driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
                screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}
                driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
                time.sleep(0.4)  # until pictures of this width are there
                driver.execute_script("for (const each of document.querySelectorAll('details')) each.open = true")
                driver.execute_script(axe)
                violations, passes = driver.execute_async_script(RUN)
                assert passes > 10, "expected rules that pass, too: did it look at the page?"
                for violation in violations:
                    found += 1
                    where = "; ".join(str(node["target"]) for node in violation["nodes"][:4])
                    print(f"{page} {width} {scheme}: {violation['id']}: {violation['help']}: {where}")
    return found


def main() -> None:
    axe = Path(sys.argv[1]).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "run").mkdir()
        project = folder / "bed-1"
        subprocess.run([*DIBBLE, "new", str(project), "--no-watchdog"], check=True, stdin=subprocess.DEVNULL)
        write_field(project / "field.csv")
        train = ["train", str(project / "field.csv"), "--recipe", "additive:4+0@3", "--budget", "5s"]
        subprocess.run([*DIBBLE, *train, "--out", str(project / "models" / "field")], check=False, cwd=folder)
        os.environ["XDG_STATE_HOME"] = name
        fleet = folder / "fleet.db"
        Intake(open_database(str(fleet))).take([message(n, node) for n in range(1, 200) for node in ("bed-1", "bed-2")])
        with (
            StudioProcess(project, folder / "run", "--fleet", str(fleet), "--broker", "localhost") as studio,
            chromium(folder / "browser") as driver,
        ):
            found = look(driver, studio, axe)
    print(f"{len(PAGES) * len(SCREENS) * 2} looks, {found} violations")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
