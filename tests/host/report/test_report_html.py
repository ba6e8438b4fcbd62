"""report.html holds all that a grower asks, nothing that runs, and needs nothing from anywhere."""

import base64
import copy
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from dibble.inference.decision import NO_CLASS
from dibble_tools.common.formatting import times_in_100
from dibble_tools.model.decisions import Decisions
from dibble_tools.model.metrics import evaluation
from dibble_tools.report.html import facts, write_report
from dibble_tools.report.plot_style import LIGHT, blank, picture, short, up_to_all
from dibble_tools.report.plots import DRAWINGS, plot_confusion
from PIL import Image
from scipy.stats import binomtest

HOSTILE = '<script>alert("1")</script>'
EVALUATION = {
    "what": "what the node computes",
    "rows": 400,
    "accuracy": 0.8125,
    "macro_f1": 0.7731,
    "interval": [0.7431, 0.8666],
    "trusted": {"share": 0.6543, "accuracy": 0.9021, "macro_f1": 0.8512, "rows": 262},
    "flags": {"unsure": 120, "out of range": 7, "sensor fault": 11},
    "labels": ["dry", "ok", "wet"],
    "confusion": [[91, 9, 0], [13, 214, 33], [0, 20, 20]],
    "classes": {
        "dry": {"rows": 100, "recall": 0.91, "precision": 0.875},
        "ok": {"rows": 260, "recall": 0.8231, "precision": 0.8807},
        "wet": {"rows": 40, "recall": 0.5, "precision": 0.3774},
    },
}
CARD = {
    "name": "bed",
    "refit": {"rows": 1189, "accuracy_of": "the same recipe fitted on the training rows alone"},
    "cross_validated": {"accuracy": 0.8017, "interval": [0.7217, 0.8555], "rows": 789, "units": 7},
    "made_by": "dibble 0.1.0",
    "model": {"file": "model.dib", "bytes": 1822, "sha256": "ea4b57f5", "family": "additive", "golden_vectors": 10},
    "data": {
        "file": "bed.csv",
        "rows": 1200,
        "rows_of_each_class": {"dry": 300, "ok": 780, "wet": 120},
        "rows_with_a_missing_reading": 17,
    },
    "split": {"how": "node 3 held out", "train_rows": 800, "test_rows": 411},
    "notes": ["a note of the training"],
    "stages": [
        {"stage": "teacher", "what": "boosting", "accuracy": 0.8433, "macro_f1": 0.8011, "bytes": None},
        {"stage": "packed", "accuracy": 0.8125, "macro_f1": 0.7731, "expected_cost": 0.2154, "bytes": 1822,
         "instructions": 66123, "heap": 6512},
    ],
    "teacher": {"chosen": "boosting", "candidates": {"boosting": {"accuracy": 0.8377}, "forest": {"accuracy": 0.8191}}},
    "front": [
        {"family": "forest", "recipe": "8 trees", "features": "last", "bytes": 2345, "accuracy": 0.7913, "cost": 0.231,
         "instructions": 41234, "fits": False, "on_front": False, "chosen": False},
        {"family": "additive", "recipe": "16 values", "features": "last", "bytes": 1822, "accuracy": 0.8017,
         "cost": 0.212, "instructions": 66123, "fits": True, "on_front": True, "chosen": True},
    ],
    "limits": {"max_bytes": 2000, "max_heap": 20000, "max_us": 50000, "board": "pico_w"},
    "held_out": {
        "integer_model": EVALUATION,
        "float_reference": {"what": "boosting on a PC", "accuracy": 0.8433, "macro_f1": 0.8011},
    },
    "coverage": [
        {"margin": 0, "coverage": 1.0, "accuracy": 0.8125},
        {"margin": 9, "coverage": 0.6789, "accuracy": 0.8956},
        {"margin": 20, "coverage": 0.31, "accuracy": 0.957},
    ],
    "unsure": {"below_margin": 9, "sure": 0.7},
    "importance": [{"channel": "soil", "drop": 0.1234}, {"channel": "air", "drop": -0.0021}],
    "without_channel": [{"channel": "soil", "accuracy": 0.6234}, {"channel": "air", "accuracy": 0.8101}],
    "only_channel": [{"channel": "soil", "accuracy": 0.7956}, {"channel": "air", "accuracy": 0.6512}],
    "shortcut": "soil alone carries nearly all",
    "learning_curve": [
        {"rows": 200, "accuracy": 0.7011, "train_accuracy": 0.9312},
        {"rows": 400, "accuracy": 0.7622, "train_accuracy": 0.9133},
        {"rows": 800, "accuracy": 0.8125, "train_accuracy": 0.8944},
    ],
    "shapes": [
        {"channel": "soil", "feature": "mean:6", "unit": "permille", "values": [0, 10, 20],
         "scores": {"ok": [0.1, 0.5, -0.4], "wet": [-1, 0, 2]}},
    ],
    "novelty": {"rate": 0.01, "flagged_held_out": 0.0321, "bytes": 220},
    "costs": {"dry:ok": 5},
}  # fmt: skip
SECTIONS = {"words", "classes", "unsure", "channels", "learning", "stages", "rivals", "front", "about"}
PICTURES = {"confusion", "coverage", "importance", "shortcut", "shapes", "learning", "stages", "front"}


class Page(HTMLParser):
    """What a browser would make of the page: its elements, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def sections(self) -> set[str | None]:
        return {attributes["id"] for tag, attributes in self.elements if tag == "section"}


def read(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def full(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("full")
    write_report(CARD, folder)
    return folder


def test_page_needs_nothing_from_anywhere(full: Path) -> None:
    html = read(full)
    assert "http://" not in html and "https://" not in html and "url(" not in html and "@import" not in html
    for tag, attributes in Page(html).elements:
        assert tag not in ("script", "link", "iframe", "object", "base")
        assert all((attributes.get(name) or "data:").startswith("data:") for name in ("src", "srcset", "href"))


def test_every_section_and_picture_appears_for_a_full_card(full: Path) -> None:
    page = Page(read(full))
    assert page.sections() == SECTIONS
    pictures = [attributes for tag, attributes in page.elements if tag == "img"]
    assert len(pictures) == len(PICTURES)
    assert all(attributes["alt"] for attributes in pictures)


@pytest.mark.parametrize("card", [{}, {"name": "bare"}, dict.fromkeys(CARD)], ids=["empty", "named", "all None"])
def test_no_section_appears_without_its_key(card: dict, tmp_path: Path) -> None:
    assert write_report(card, tmp_path) == [tmp_path / "report.html"]
    page = Page(read(tmp_path))
    assert page.sections() == set()
    assert "None" not in page.text and "-" not in page.text.partition("report")[2].partition(":root")[0]


@pytest.mark.parametrize("key", [key for key in CARD if key not in ("name", "made_by")])
def test_each_key_alone_makes_a_page(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dibble_tools.report.html.pictures", lambda card: {})
    write_report({key: CARD[key]}, tmp_path)
    write_report({**CARD, key: None}, tmp_path)


def test_figures_are_the_cards(full: Path) -> None:
    text = Page(read(full)).text
    judged = [0.8125, 0.7731, 0.6543, 0.9021, 0.91, 0.3774, 0.8433, 0.6789, 0.8956]
    tried = [0.8017, 0.7913, 0.6234, 0.7956, 0.9133, 0.8377, 0.8191]
    for share in judged + tried:
        assert f"{100 * share:.1f} %" in text, share
    for count in ("1,822 of at most 2,000", "6,512 of at most 20,000", "66,123", "2,345", "800 / 411", "+12.3"):
        assert count in text, count
    for words in ("ea4b57f5", "a note of the training", "soil alone carries", "pico_w", "0.215", "16 values"):
        assert words in text, words


def test_rows_of_the_class_table_are_in_place(full: Path) -> None:
    row = re.search(r'<tr><th scope="row">wet</th>(.*?)</tr>', read(full), re.DOTALL)
    assert row and re.findall(r"<td>(.*?)</td>", row[1]) == ["40", "50.0 %", "37.7 %"]


def hostile(value: object) -> object:
    """Return a card with its every text and name replaced by markup, the card's own keys kept."""
    if isinstance(value, dict):
        return {k if k in KEYS else HOSTILE + k: hostile(v) for k, v in value.items()}
    if isinstance(value, list):
        return [hostile(item) for item in value]
    return HOSTILE + value if isinstance(value, str) else value


KEYS = set(CARD) | {"integer_model", "float_reference", "trusted", "classes", "labels", "confusion", "flags", "scores"}
KEYS |= {k for v in CARD.values() if isinstance(v, dict) for k in v} | set(EVALUATION)
KEYS |= {k for v in CARD.values() if isinstance(v, list) for row in v if isinstance(row, dict) for k in row}
KEYS |= {"share", "recall", "precision"}
KEYS -= {"dry:ok"}


def test_markup_in_names_stays_text(tmp_path: Path) -> None:
    write_report(hostile(CARD), tmp_path)
    page = Page(read(tmp_path))
    assert page.sections() == SECTIONS
    assert "script" not in {tag for tag, _ in page.elements}
    assert page.text.count(HOSTILE) > 50
    names = {name for _, attributes in page.elements for name in attributes}
    assert not [name for name in names if name.startswith("on") or "alert" in name]


def test_pictures_are_pngs_that_show_something(full: Path) -> None:
    html = read(full)
    inline = {base64.b64decode(text) for text in re.findall(r"data:image/png;base64,([A-Za-z0-9+/=]+)", html)}
    files = sorted((full / "plots").iterdir())
    assert {path.stem for path in files} == PICTURES
    assert len(inline) == 2 * len(PICTURES)
    assert {path.read_bytes() for path in files} <= inline
    for data in inline:
        image = Image.open(io.BytesIO(data))
        assert image.format == "PNG"
        assert len(image.getcolors()) > 8


def test_same_card_makes_the_same_page(full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one_picture = {"stages": DRAWINGS["stages"]}
    monkeypatch.setattr("dibble_tools.report.plots.DRAWINGS", one_picture)
    for folder in ("a", "b"):
        write_report(copy.deepcopy(CARD), tmp_path / folder)
    assert read(tmp_path / "a") == read(tmp_path / "b")
    assert (tmp_path / "a/plots/stages.png").read_bytes() == (full / "plots/stages.png").read_bytes()


def test_pictures_of_an_earlier_report_are_removed(tmp_path: Path) -> None:
    write_report({"stages": CARD["stages"], "front": CARD["front"]}, tmp_path)
    (tmp_path / "plots" / "mine.png").write_bytes(b"kept")
    write_report({"front": CARD["front"][:1]}, tmp_path)
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == ["front.png", "mine.png"]


def test_facts_of_the_confusion_matrix() -> None:
    found = facts(CARD)
    assert found["majority"] == ("ok", 260 / 400)
    assert found["verdict"].rely
    assert found["mistakes"][0] == ("ok", "wet", 33, 33 / 260)
    assert found["weakest"] == ("wet", 0.5)
    interval = binomtest(325, 400).proportion_ci(method="wilson")
    assert found["give_or_take"] == pytest.approx((interval.high - interval.low) / 2, abs=1e-5)
    assert found["gain"]["rows"] == 400 and found["gain"]["notable"]


def test_a_model_no_better_than_the_commonest_class_is_called_so(tmp_path: Path) -> None:
    result = {"accuracy": 0.7, "rows": 100, "labels": ["a", "b"], "confusion": [[70, 0], [30, 0]]}
    write_report({"held_out": {"integer_model": result}}, tmp_path)
    assert "Don't rely on this model" in Page(read(tmp_path)).text


def test_plot_confusion_writes_one_picture(tmp_path: Path) -> None:
    plot_confusion(EVALUATION, tmp_path / "confusion.png")
    assert Image.open(tmp_path / "confusion.png").width > 500


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.756, "76 times in 100"), (0.999, "more than 99 times in 100"), (1.0, "100 times in 100"),
     (0.001, "less than once in 100"), (0.0, "0 times in 100"), (0.012, "once in 100")],
)  # fmt: skip
def test_shares_in_words_are_never_all_or_none_unless_they_are(share: float, words: str) -> None:
    assert times_in_100(share) == words


@pytest.mark.parametrize(
    ("name", "shown"),
    [("soil", "soil"), ("a\nb", "a b"), ("abcdefghijk", "abcdefghijk"), ("abcdefghijkl", "abcde…hijkl")],
)
def test_long_names_lose_their_middle(name: str, shown: str) -> None:
    assert short(name, 11) == shown


def test_margin_in_use_is_found_between_the_margins_listed(tmp_path: Path) -> None:
    coverage = [{"margin": m, "coverage": 1 - m, "accuracy": 0.8 + m / 10} for m in (0.0, 0.5, 1.0)]
    card = {"coverage": coverage, "unsure": {"below_margin": 24, "margin_unit": 32.0}}
    drawn = picture(DRAWINGS["coverage"], card)
    assert drawn and "25.0 % are sure, 87.5 % of these right" in drawn.alt


def test_nothing_lost_by_shuffling_is_no_picture() -> None:
    assert (
        picture(
            DRAWINGS["importance"], {"importance": [{"channel": "a", "drop": 0.0}, {"channel": "b", "drop": 0.0004}]}
        )
        is None
    )
    assert picture(DRAWINGS["importance"], {"importance": [{"channel": "a", "drop": -0.01}]})
    flat = {"channel": "a", "values": [1, 2], "scores": {"dry": [0.0, 0.0], "wet": [0.0, 0.0]}}
    assert picture(DRAWINGS["shapes"], {"shapes": [flat]}) is None


@pytest.mark.parametrize(
    ("name", "axis", "card"),
    [
        ("shortcut", "x", {"only_channel": [{"channel": "a", "accuracy": 1.0}, {"channel": "b", "accuracy": 1.0}]}),
        ("stages", "x", {"stages": [{"stage": "int8", "accuracy": 1.0, "macro_f1": 0.9}]}),
        ("front", "y", {"front": [{"family": "mlp", "bytes": 100, "accuracy": a} for a in (0.8, 1.0)]}),
        ("learning", "y", {"learning_curve": [{"rows": n, "accuracy": 1.0, "train_accuracy": 1.0} for n in (10, 20)]}),
        ("coverage", "y", {"coverage": [{"margin": m, "coverage": 1 - m, "accuracy": 1.0} for m in (0.0, 0.5)]}),
    ],
)
def test_axes_of_shares_end_at_all(name: str, axis: str, card: dict) -> None:
    drawn = DRAWINGS[name](card, LIGHT)
    low, high = getattr(drawn.figure.axes[0], f"get_{axis}lim")()
    assert 0 <= low < 1 <= high <= 1.02


def test_class_counts_are_of_rows_that_were_decided() -> None:
    decisions = Decisions(*np.array([[0, 9, 0, 0, 0], [NO_CLASS, 0, 4, 1, 0], [1, 9, 0, 0, 1]]).T)
    found = evaluation(np.array(["dry", "dry", "wet"]), decisions, ["dry", "wet"])
    assert found["rows"] == 2
    assert {name: row["rows"] for name, row in found["classes"].items()} == {"dry": 1, "wet": 1}
    assert found["flags"]["sensor fault"] == 1


def test_a_group_that_fares_clearly_worse_is_named(tmp_path: Path) -> None:
    groups = [{"name": "bed-3", "rows": 100, "accuracy": 0.55, "held_out": False},
              {"name": "bed-1", "rows": 300, "accuracy": 0.9, "held_out": True}]  # fmt: skip
    each = {"what": "node", "how": "each scored by a model that hadn't seen it", "units": 2, "groups": groups}
    write_report(CARD | {"each_group": each}, tmp_path)
    text = Page(read(tmp_path)).text
    assert "in node bed-3 it was right only 55 times in 100" in text
    assert "Each node, each scored by a model that hadn't seen it" in text


def test_shares_that_lie_close_together_have_room_above_and_below() -> None:
    _, axes = blank(3.1)
    axes.scatter([1, 2], [0.955, 0.967])
    up_to_all(axes, "y")
    low, high = axes.get_ylim()
    assert low < 0.93 and 0.99 < high <= 1.05
