"""What people see: tables for the terminal and pictures."""

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from dibble_tools.common.formatting import percent
from dibble_tools.report.scan import scan_words

WIDE = 110  # columns of a terminal
MOST_GROUPS = 8


def new_table(title: str, *columns: str, numbers: Sequence[int] = (), whole: bool = False) -> Table:
    """Return an empty table; `whole` keeps numbers and the first column from being folded."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for i, column in enumerate(columns):
        right = i in numbers
        steady = whole and (right or i == 0)
        table.add_column(column, justify="right" if right else "left", overflow="fold", no_wrap=steady)
    return table


def training_tables(card: dict[str, Any], width: int) -> list[Table]:
    """Return the best recipes, every stage with its figures on the rows held out, and the groups that fare worst.

    Args:
        width: of the terminal; a narrow one goes without explanations.
    """
    held_out = card["held_out"]["integer_model"]
    title = f"{card['name']}: {card['split']['how']}; {held_out['rows']} rows scored"
    names = ("stage", "accuracy", "macro-F1", "cost", "bytes", "instructions", "what")
    shown = [0, 1, 2, *([3] if card["costs"] else []), 4, 5, *([6] if width >= WIDE else [])]
    stages = new_table(title, *(names[i] for i in shown), numbers=range(1, len(shown) - (width >= WIDE)), whole=True)
    for row in card["stages"]:
        whole = ["-" if row[key] is None else f"{row[key]:,}" for key in ("bytes", "instructions")]
        cost = "-" if row["expected_cost"] is None else f"{row['expected_cost']:.3f}"
        cells = [row["stage"], percent(row["accuracy"]), percent(row["macro_f1"]), cost, *whole, Text(row["what"])]
        stages.add_row(*(cells[i] for i in shown))
    trusted = held_out["trusted"]
    flags = ", ".join(f"{count} {name}" for name, count in held_out["flags"].items() if count) or "none"
    stages.caption_justify = "left"
    stages.caption = (
        f"of these rows it trusts {percent(trusted['share'])}, and is right on {percent(trusted['accuracy'])} of them; "
        f"flagged: {flags}; instructions: of one predict() on the 32-bit VM, bytecode{_stated(card)}"
    )
    each = card.get("each_group") or {}
    places = new_table(f"each {each.get('what')}, {each.get('how')}", *("", "rows", "right"), numbers=(1, 2))
    for row in each.get("groups", [])[:MOST_GROUPS]:
        places.add_row(Text(row["name"]), f"{row['rows']:,}", percent(row["accuracy"]))
    if len(each.get("groups", [])) > MOST_GROUPS:
        places.add_row(f"{len(each['groups']) - MOST_GROUPS} more, each better", "", "")
    tried = [row for row in card["front"] if row["on_front"] or row["chosen"]]
    front = new_table(
        f"{len(card['front'])} recipes cross-validated inside the training part; those no smaller one beats",
        *("recipe", "accuracy", "bytes", "instructions", ""),
        numbers=(1, 2, 3),
        whole=True,
    )
    for row in sorted(tried, key=lambda row: row["bytes"]):
        mark = "chosen" if row["chosen"] else "" if row["fits"] else "beyond the limits"
        front.add_row(
            row["recipe"], percent(row["accuracy"]), f"{row['bytes']:,}", f"about {row['instructions']:,}", mark
        )
    scan = new_table("the heater's scan", "")
    scan.show_header = False
    for words in scan_words(card):
        scan.add_row(Text(words))
    gone = new_table("without a reading", "missing", "cross-validated", "held out", numbers=(1, 2))
    without = card.get("without_reading") or {}
    for row in without.get("channels", []):
        kept = percent(row["held_out"]) if row["tolerated"] else "decides nothing"
        gone.add_row(Text(row["channel"]), percent(row["cross_validated"]), kept)
    more = [*([gone] if without else []), *([places] if each else []), *([scan] if card.get("scan") else [])]
    return [*([front] if len(card["front"]) > 1 else []), stages, *more]


def usual_tables(card: dict[str, Any]) -> list[Table]:
    """Return the false alarms of a model of what is usual, and what it finds."""
    usual = card["usual"]
    title = f"{card['name']}: {card['split']['how']}; {usual['rows']} rows of what is usual"
    alarms = new_table(title, "false alarms", "share", numbers=(1,))
    ends = usual["interval"]
    between = f" ({percent(ends[0])} to {percent(ends[1])}, 95 times in 100)" if ends else ""
    alarms.add_row(f"flagged{between}", percent(usual["flagged"]))
    alarms.add_row("  as novel", percent(usual["novel"]))
    alarms.add_row("  as out of range", percent(usual["out_of_range"]))
    alarms.add_row("asked for", percent(usual["rate"]))
    found = new_table("what it finds: a sensor that tells another moment's reading", "", "flagged", numbers=(1,))
    for row in usual["found"]:
        found.add_row(Text(row["channel"]), percent(row["flagged"]))
    return [alarms, found]


def number_tables(card: dict[str, Any]) -> list[Table]:
    """Return the best recipes of a model that tells a number, and how far off it is, in all and in each group."""
    number = card["number"]
    unit = number["unit"]
    tried = sorted(card["tried"], key=lambda row: (not row["fits"], row["error"]))[:MOST_GROUPS]
    recipes = new_table(
        f"{len(card['tried'])} recipes cross-validated inside the training part; the best",
        *("recipe", f"error, {unit}".rstrip(", "), "bytes", ""),
        numbers=(1, 2),
        whole=True,
    )
    for row in tried:
        chosen = "chosen" if row["recipe"] == card["model"]["recipe"] else "" if row["fits"] else "beyond the limits"
        recipes.add_row(row["recipe"], f"{row['error']:.4g}", f"{row['bytes']:,}", chosen)
    title = f"{card['name']}: {card['split']['how']}; {card['split']['scored_rows']} rows scored"
    figures = new_table(title, "", f"mean error, {unit}".rstrip(", "), "R²", "within", numbers=(1, 2, 3))
    floats = number.get("floats")
    for name, row in (
        ("this model", number["held_out"]),
        ("cross-validated inside the training part", number["cross_validated"]),
        *([(f"{floats['what']}, floats on a PC", floats)] if floats else []),
        (number["instead"]["what"], number["instead"]),
    ):
        cells = [f"{row[key]:.3g}" if row.get(key) is not None else "-" for key in ("mae", "r2")]
        figures.add_row(name, *cells, percent(row.get("within")))
    figures.caption_justify = "left"
    spread = f"± {number['spread']:.3g} {unit}".rstrip()
    figures.caption = f"within: {spread}, made to hold {number['coverage']} % of rows that it hadn't learned from"
    groups = new_table("each group, by models that hadn't seen it", "", "rows", "mean error", numbers=(1, 2))
    for row in number["groups"][:MOST_GROUPS]:
        groups.add_row(Text(row["name"]), f"{row['rows']:,}", f"{row['mae']:.3g}")
    return [recipes, figures, *([groups] if number["groups"] else [])]


def sound_tables(card: dict[str, Any]) -> list[Table]:
    """Return how well each sound is known, in noise too, and false alarms against misses."""
    held_out, sound = card["held_out"]["integer_model"], card["sound"]
    title = f"{card['name']}: {card['split']['how']}; {sound['clips']} clips, {percent(sound['right'])} right"
    classes = new_table(title, "sound", "clips heard", "recall", "precision", numbers=(1, 2, 3), whole=True)
    for name, row in held_out["classes"].items():
        heard = row["rows"] - held_out.get("unheard", {}).get(name, 0)
        classes.add_row(Text(name), f"{heard} of {row['rows']}", percent(row["recall"]), percent(row["precision"]))
    confused = [f"{p['a']} and {p['b']}, {percent(p['share'])}" for p in sound["confused"]]
    noise = [f"{percent(row['right'])} at {row['db']} dB" for row in sound.get("noise") or []]
    stream = sound.get("stream")
    told = [
        f"taken for each other most: {'; '.join(confused)}" if confused else "",
        f"right in noise that is so much quieter than the sound: {', '.join(noise)}" if noise else "",
        f"false alarms: {stream['alarms']} in {stream['hours']:.2f} h of other sounds, "
        f"{stream['interval'][0]:g} to {stream['interval'][1]:g} an hour, 95 times in 100"
        if stream
        else "",
    ]
    classes.caption_justify = "left"
    classes.caption = "\n".join(filter(None, told))
    tables = [classes]
    if sound["alarms"]:
        alarms = new_table(
            "done from a margin on: clips missed, and others on which something is done",
            *("margin", "missed", "false alarms"),
            numbers=(0, 1, 2),
        )
        for row in sound["alarms"]:
            alarms.add_row(f"{row['margin']:,}", percent(row["missed"]), percent(row["alarms"]))
        tables.append(alarms)
    return tables


def image_tables(card: dict[str, Any]) -> list[Table]:
    """Return how well each class is known on frames held out, and what the model takes."""
    held_out, model = card["held_out"]["integer_model"], card["model"]
    classes = new_table(
        f"{card['name']}: {card['split']['how']}; {held_out['rows']} frames, {percent(held_out['accuracy'])} right",
        *("class", "frames", "recall", "precision"),
        numbers=(1, 2, 3),
        whole=True,
    )
    for name, row in held_out["classes"].items():
        classes.add_row(Text(name), str(row["rows"]), percent(row["recall"]), percent(row["precision"]))
    told = [
        f"frames of {model['frame']}; {model['weights']:,} weights, {model['multiply_adds']:,} multiply-adds a frame",
        f"{model['bytes']:,} bytes, about {model['heap']:,} bytes of heap",
        _stated(card),
    ]
    classes.caption_justify = "left"
    classes.caption = "\n".join(filter(None, told))
    return [classes]


def _stated(card: dict[str, Any]) -> str:
    """Return what a card states of its accuracy, with 95 % intervals; nothing of one without."""
    said = []
    held_out, crossed = card["held_out"]["integer_model"], card.get("cross_validated")
    if held_out.get("interval"):
        low, high = held_out["interval"]
        said.append(f"accuracy on these rows: {percent(low)} to {percent(high)}, 95 times in 100")
    if crossed and crossed.get("interval"):
        low, high = crossed["interval"]
        said.append(
            f"cross-validated inside the training part ({crossed['rows']:,} rows, drawn as {crossed['units']:,}): "
            f"{percent(crossed['accuracy'])}, {percent(low)} to {percent(high)}"
            + (f" on {crossed['further']:,} more" if crossed.get("further") else "")
        )
    return "".join(f"; {text}" for text in said)


def demo_table(card: dict[str, Any], rule: Any, size: int, heap: int) -> Table:
    """Return the demo's result: the model against the float reference and the rule of thumb."""
    held_out = card["held_out"]
    ours = held_out["integer_model"]
    title = f"hazard of the next 6 hours, {card['split']['how']}: {ours['rows']} hours scored"
    table = new_table(title, "who decides", "accuracy", "macro-F1", numbers=(1, 2))
    table.add_row("persistence: the next 6 hours are like now", percent(rule.accuracy), percent(rule.macro_f1))
    reference = held_out["float_reference"]
    table.add_row("the best float teacher, on a PC", percent(reference["accuracy"]), percent(reference["macro_f1"]))
    table.add_row(f"the node: integers, {size} bytes", percent(ours["accuracy"]), percent(ours["macro_f1"]))
    trusted = ours["trusted"]
    table.add_row(
        f"  when it is sure ({percent(trusted['share'])} of hours)",
        percent(trusted["accuracy"]),
        percent(trusted["macro_f1"]),
    )
    flags = ", ".join(f"{count} {name}" for name, count in ours["flags"].items())
    ahead = 100 * (ours["accuracy"] - rule.accuracy), 100 * (ours["macro_f1"] - rule.macro_f1)
    table.caption_justify = "left"
    table.caption = (
        f"ahead of persistence by {ahead[0]:+.1f} and {ahead[1]:+.1f} points; flagged: {flags}; "
        f"heap of the loaded model: {heap} bytes (32-bit VM, garbage of loading included)"
    )
    return table


def number_evaluation_table(result: dict[str, Any]) -> Table:
    """Return how far off a model's numbers are."""
    title = f"{result['rows']} rows: {result['name']}" + (
        f" in {result['ahead_s'] / 3600:g} h" * bool(result["ahead_s"])
    )
    unit = f", {result['unit']}" if result["unit"] else ""
    table = new_table(title, f"mean error{unit}", "root mean square", "R²", "within", numbers=(0, 1, 2, 3))
    r2 = "-" if result["r2"] is None else f"{result['r2']:.3f}"
    table.add_row(f"{result['mae']:.4g}", f"{result['rmse']:.4g}", r2, percent(result["within"]))
    table.caption_justify = "left"
    table.caption = f"within: ± {result['spread']:.4g}, as the model tells of itself"
    return table


def evaluation_tables(result: dict[str, Any]) -> list[Table]:
    """Return accuracy and macro-F1, each class, and the confusion matrix."""
    flags = ", ".join(f"{count} {name}" for name, count in result["flags"].items())
    head = new_table(f"{result['rows']} rows decided; flagged: {flags}", "", "accuracy", "macro-F1", numbers=(1, 2))
    trusted = result["trusted"]
    head.add_row("all decided rows", percent(result["accuracy"]), percent(result["macro_f1"]))
    head.add_row(
        f"the {percent(trusted['share'])} without a flag", percent(trusted["accuracy"]), percent(trusted["macro_f1"])
    )
    labels = result["labels"]
    classes = new_table("classes", "class", "rows", "recall", "precision", numbers=(1, 2, 3))
    for name, row in result["classes"].items():
        classes.add_row(Text(name), str(row["rows"]), percent(row["recall"]), percent(row["precision"]))
    confusion = new_table("a row a true class, a column a decided one", "", *labels, numbers=range(1, len(labels) + 1))
    for name, counts in zip(labels, result["confusion"], strict=False):
        confusion.add_row(Text(name), *map(str, counts))
    return [head, classes, confusion]


def inspection_tables(content: dict[str, Any]) -> list[Table]:
    """Return a model file's content for people."""
    head = new_table(f"{content['name']}: {content['bytes']} bytes", "what", "value")
    for key, value in (
        *((key, content[key]) for key in ("format", "family", "classes", "interval_s")),
        *content["tables"].items(),
        *((f"number: {key}", value) for key, value in (content["number"] or {}).items()),
    ):
        if isinstance(value, list):
            value = ", ".join(value)
        head.add_row(key.replace("_", " "), Text("-" if value is None else str(value)))
    head.add_row("unsure", f"when the winner leads by less than {content['unsure_below']}")
    head.add_row("hysteresis", f"{content['hysteresis']} trusted decisions in a row change the held class")
    head.add_row("golden vectors", f"{content['golden_vectors']}, replayed just now: all agree")
    if content["family"] == "maps":  # what a frame is, is told; not each of its readings
        return [head]
    if content["sound"]:
        sound = new_table("what it hears", "what", "value")
        for key, value in content["sound"].items():
            sound.add_row(key, value)
        return [head, sound]
    stands_in = any("stands_in" in c for c in content["channels"])
    more = ["stands in for a missing one"] if stands_in else []
    channels = new_table("channels", "name", "unit", "one step", "valid range", *more)
    for c in content["channels"]:
        cells = [Text(c["stands_in"] or "nothing: nothing is decided")] if stands_in else []
        channels.add_row(Text(c["name"]), Text(c["unit"] or "-"), f"{c['resolution']:g}", Text(c["range"]), *cells)
    features = new_table("features", "channel", "feature", "readings", numbers=(2,))
    for f in content["features"]:
        features.add_row(Text(f["channel"]), f["feature"], str(f["readings"]))
    return [head, channels, features]
