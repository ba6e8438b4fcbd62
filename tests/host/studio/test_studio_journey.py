"""The whole way through the page, clicked in a real browser: a virtual board, labels, a model, its decisions."""

import json
import re
from contextlib import contextmanager
from pathlib import Path

import pytest
from dibble_tools.virtual_board.board import VirtualBoard
from node_helpers import soil_model
from patience import PATIENCE_S
from studio_process import StudioProcess, chromium, write_project

pytestmark = pytest.mark.long

STATIC = Path(__file__).parents[3] / "host_tools/dibble_tools/studio/static"
ROWS = 24  # of each label
STEPS = ("connect", "collect", "label", "train", "deploy", "watch")
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
TARGET_PX = 44  # of what a thumb has to hit


@contextmanager
def opened(tmp_path):
    """Yield a studio and a page that shows it."""
    project = write_project(tmp_path / "orchard-1")
    with StudioProcess(project, tmp_path / "run") as studio, chromium(tmp_path / "browser") as driver:
        driver.get(f"http://127.0.0.1:{studio.port}/?token={studio.token}")
        yield studio, Page(driver), project


class Page:
    """What a person does with the page, and sees of it."""

    def __init__(self, driver):
        self.driver = driver

    def wait(self, condition):
        from selenium.common.exceptions import StaleElementReferenceException
        from selenium.webdriver.support.ui import WebDriverWait

        wait = WebDriverWait(self.driver, PATIENCE_S, 0.1, [StaleElementReferenceException])
        return wait.until(lambda _: condition(), "problem: " + self.text("#problem"))

    def all(self, css):
        return self.driver.find_elements("css selector", css)

    def one(self, css):
        return self.driver.find_element("css selector", css)

    def text(self, css):
        return self.one(css).text

    def click(self, css):
        self.one(css).click()

    def go(self, step):
        self.click(f'#steps a[href="#{step}"]')
        self.wait(lambda: self.one(f"#{step}").is_displayed())

    def job(self, kind):
        """Wait for the end of a job; return what the page says of it."""
        box = f'[data-job="{kind}"]'
        self.wait(lambda: self.one(box).get_attribute("data-state") in ("done", "failed", "cancelled"))
        return self.text(box)

    def label(self, name):
        """Label readings so until there are enough."""
        field = self.one('[name="label"]')
        field.send_keys(name)
        field.submit()

        def enough():
            found = re.search(rf"{name}\n(\d+) reading", self.text("#labels"))
            return found and int(found[1]) >= ROWS

        self.wait(enough)


@pytest.mark.timeout(900)  # of a machine that is busy with much else; each wait has its own end
def test_a_newcomer_gets_from_no_board_to_decisions_of_an_own_model(tmp_path):
    with opened(tmp_path) as (studio, page, project):
        page.wait(lambda: "No board" in page.text("#chip"))
        page.one('#virtual [name="speed"]').send_keys("an hour")
        page.click("#virtual button")
        assert "it logs only" in page.job("virtual")
        page.wait(lambda: page.text("#chip") == "● Live: orchard-1-virtual")
        page.wait(lambda: len(page.all("#connect .channel")) == 3)
        assert re.search(r"Air temperature\n−?\d+\.\d °C", page.text("#connect .channels"))

        page.go("collect")
        page.label("morning")
        page.label("evening")
        page.click("#pause")
        page.wait(lambda: not page.one("#pause").is_displayed())
        assert project.joinpath("field.csv").read_text().count(",morning\n") >= ROWS

        page.go("train")
        page.one('#train-form [name="budget_s"]').send_keys("20 seconds")
        page.click("#train summary")
        page.one('#train-form [name="recipe"]').send_keys("additive:4+0@3")
        page.click("#train-form button")
        assert "Don't rely on this model" in page.job("train").split("\n")[1]  # the verdict goes first
        assert "readings that were kept from it" in page.job("train")
        page.wait(lambda: page.text("#models strong") == "field")
        assert studio.ask("GET", "/report/field")[0] == 200

        page.go("deploy")
        page.wait(lambda: page.one("#anyway").is_displayed())  # two recordings prove nothing
        page.click("#deploy-form button")
        page.wait(lambda: "Don't rely on this model" in page.text("#problem"))
        page.click("#anyway input")
        page.click("#deploy-form button")
        assert "the node runs, with field CRC" in page.job("deploy")

        page.go("watch")
        page.wait(lambda: page.text("#decision .class") in ("morning", "evening"))
        assert "ahead of the next best by" in page.text("#decision")
        assert "lately" in page.one("#watch .channel svg").get_attribute("aria-label")
        page.go("label")
        page.click("#fetch")
        assert "records are home" in page.job("fetch")
        page.wait(lambda: "log/log.csv" in page.text("#table"))
        label_by_keys(page, "field.csv", "noon")
        assert project.joinpath("field.csv").read_text().splitlines()[1].endswith(",noon")
        suggestions_lead_to_a_label(page, project)
        rollback_brings_the_model_of_before(page, project)
        page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
        for step in STEPS:
            page.go(step)
            assert fits(page) == [], step
        severe = [entry for entry in page.driver.get_log("browser") if entry["level"] == "SEVERE"]
        assert [entry for entry in severe if "/do/deploy" not in entry["message"]] == []  # refused, as it should be


def label_by_keys(page, file, label):
    """Label the first reading of a file, without a pointer."""
    from selenium.webdriver.common.keys import Keys

    page.one("#table").send_keys(file)
    page.wait(lambda: page.one("#chart-picture").get_attribute("alt").startswith(f"Readings of {file}"))
    page.one("#last").send_keys(Keys.HOME)
    page.wait(lambda: page.text("#span-words").startswith("Chosen: 1 reading "))
    page.one('#span-form [name="label"]').send_keys(label)
    page.one('#span-form [name="label"]').submit()
    page.wait(lambda: f"1 {label}" in page.text("#table-words"))


def suggestions_lead_to_a_label(page, project):
    """Of the log that came home: a button for each, which chooses its reading."""
    page.go("label")
    page.one("#table").send_keys("log/log.csv")
    page.wait(lambda: page.one("#chart-picture").get_attribute("alt").startswith("Readings of log/log.csv"))
    page.click("#suggest")
    page.wait(lambda: page.all("#suggested button"))
    said = page.all("#suggested button")[0].text
    page.all("#suggested button")[0].click()
    page.wait(lambda: page.text("#first-time") in said and page.text("#first-time") == page.text("#last-time"))
    page.one('#span-form [name="label"]').send_keys("dusk")
    page.one('#span-form [name="label"]').submit()
    page.wait(lambda: "1 dusk" in page.text("#table-words"))
    assert project.joinpath("log-labelled.csv").read_text().count(",dusk\n") == 1


def rollback_brings_the_model_of_before(page, project):
    """Another model goes on the board, and by a button the one before runs again: the node itself says so."""
    other = project / "models" / "other"
    other.mkdir()
    (other / "model.dib").write_bytes(soil_model(400))
    page.go("deploy")
    page.wait(lambda: page.all('#deploy-models input[value="other"]'))
    page.click('#deploy-models input[value="other"]')
    page.click("#deploy-form button")
    page.wait(lambda: "the node runs, with dry below 400 CRC" in page.text('[data-job="deploy"]'))
    page.wait(lambda: page.one("#rollback").is_enabled())  # once that has come to its end
    page.click("#rollback")
    told = page.job("rollback")
    assert "The model of before runs again" in told and "The node runs, with field CRC" in told


def fits(page):
    """Return what doesn't fit a phone: a page wider than the screen, buttons too small for a thumb."""
    return page.driver.execute_script(
        "const small = [...document.querySelectorAll('button, a, select, input:not([type=radio], [type=checkbox])')]"
        ".filter((each) => each.offsetParent && each.getBoundingClientRect().height < arguments[0])"
        ".map((each) => each.outerHTML);"
        "return document.documentElement.scrollWidth > innerWidth ? ['wide', ...small] : small;",
        TARGET_PX,
    )


def test_a_board_whose_power_fails_is_shown_as_away_and_comes_back(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    with VirtualBoard.start(tmp_path / "flash", name="away") as board, opened(tmp_path) as (_, page, _):
        page.wait(lambda: page.text("#chip").startswith("● Live"))
        board.cut()
        page.wait(lambda: page.text("#chip") == "✕ Board is away")
        assert page.text("#connected-words").startswith("Virtual board away went away: looking for it again")
        board.power()
        page.wait(lambda: page.text("#chip").startswith("● Live"))


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.js")), ids=lambda path: path.name)
def test_the_page_never_makes_html_of_text(path):
    found = re.findall(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", path.read_text()
    )
    assert found == []


def test_the_page_loads_nothing_from_elsewhere():
    for path in STATIC.iterdir():
        links = [
            link for link in re.findall(r"https?://[^\s\"'<>)]+", path.read_text()) if "w3.org/2000/svg" not in link
        ]
        assert links == [], path.name
    assert json.dumps(sorted(path.suffix for path in STATIC.iterdir())).count(".js") >= 5
