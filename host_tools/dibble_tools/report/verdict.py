"""Whether to rely on a model: what its card says of that, in a sentence or two."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dibble_tools.common.formatting import is_number, percent, times_in_100, whole
from dibble_tools.common.quantities import MINUTES, duration_text

NOTABLE = 0.01  # of accuracy: less is taken for chance
ENOUGH_UNITS = 4  # groups or recordings: of fewer, an interval says next to nothing
NEARER = 0.02  # of the mean error: less is taken for chance
SURE = 2  # standard errors
MANY_ALARMS, MORE_ALARMS = 0.05, 3  # a share of usual readings, and times the rate that was asked for
NEVER = "Don't rely on this model"


@dataclass(frozen=True)
class ModelVerdict:
    """What a grower has to know first.

    Attributes:
        rely: False where the readings held out don't show that the model decides well.
        words: that in a sentence or two.
        reasons: why not to rely on it, a sentence each; empty where nothing speaks against it.
    """

    rely: bool
    words: str
    reasons: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return what a card holds of it."""
        return {**asdict(self), "reasons": list(self.reasons)}


def verdict_of(card: Mapping[str, Any]) -> ModelVerdict | None:
    """Return the verdict in a card, or that of its figures; None where it has none."""
    said = card.get("verdict")
    if said:
        return ModelVerdict(bool(said["rely"]), str(said["words"]), tuple(map(str, said["reasons"])))
    if card.get("usual"):
        return _of_usual(card["usual"], card.get("split") or {})
    if card.get("number"):
        return _of_number(card["number"], card.get("split") or {})
    result = (card.get("held_out") or {}).get("integer_model") or {}
    split = card.get("split") or {}
    constant = _constant(result)
    reasons = [
        *_unjudged(result.get("classes") or {}, rows_are(card)[:-1]),
        *_same_recording(split.get("same_recording") or []),
        *(_no_better(card, result, *constant) if constant else []),
    ]
    if reasons:
        return ModelVerdict(False, f"{NEVER}: {' '.join(reasons)}", tuple(reasons))
    if not is_number(result.get("accuracy")):
        return None
    right = f"Right {times_in_100(result['accuracy'])}"
    right += f", on {whole(result.get('rows'))} {rows_are(card)} that it had never seen"
    right += f" ({split['how']})" if split.get("how") else ""
    stays = card.get("persistence") or {}
    right += f"; that it stays as it is, {times_in_100(stays['accuracy'])}" if is_number(stays.get("accuracy")) else ""
    right += f"; always saying {constant[0]!r} would be, {times_in_100(constant[1])}" if constant else ""
    if card.get("shortcut"):
        return ModelVerdict(True, f"Check this before you trust it: {card['shortcut']}. {right}.")
    return ModelVerdict(True, f"{right}.")


def _of_usual(usual: Mapping[str, Any], split: Mapping[str, Any]) -> ModelVerdict | None:
    """Return the verdict on a model of what is usual: how many false alarms it gives on time that it hadn't seen."""
    flagged, rate = usual.get("flagged"), usual.get("rate")
    if not is_number(flagged) or not is_number(rate):
        return None
    how = f" ({split['how']})" if split.get("how") else ""
    rows = f"{percent(flagged)} of {whole(usual['rows'])} usual readings that it had never seen{how}"
    if flagged > max(MANY_ALARMS, MORE_ALARMS * rate):
        asked = f"{percent(rate)} was asked for: they differ from those it learned from"
        reason = f"It flags {rows}, where {asked}. Record more days."
        return ModelVerdict(False, f"{NEVER}: {reason}", (reason,))
    found = [row["flagged"] for row in usual.get("found") or []]
    caught = f"; where a sensor tells another moment's reading, it flags {percent(min(found))} to {percent(max(found))}"
    return ModelVerdict(True, f"Flags {rows}, {percent(rate)} asked for{caught if found else ''}.")


def _of_number(number: Mapping[str, Any], split: Mapping[str, Any]) -> ModelVerdict | None:
    """Return the verdict on a model that tells a number: whether it is nearer than what one would say without it."""
    here, instead = number.get("held_out") or {}, number.get("instead") or {}
    if not is_number(here.get("mae")):
        return None
    known = is_number(instead.get("mae"))
    off = f"off by {number_text(here['mae'], number.get('unit') or '')}"
    other = f"; {instead['what']} would be off by {number_text(instead['mae'], number.get('unit'), bare=True)}" * known
    gain = number.get("gain") or {}
    luck = is_number(gain.get("mean")) and gain["mean"] < SURE * gain["error"]
    if known and (luck or here["mae"] >= (1 - NEARER) * instead["mae"]):
        reason = f"It was {off} on average{other}, without any model{': what is nearer may be luck' if luck else ''}."
        return ModelVerdict(False, f"{NEVER}: {reason}", (reason,))
    how = f" ({split['how']})" if split.get("how") else ""
    rows = f"on {whole(here['rows'])} readings that it had never seen{how}"
    spread = number_text(number["spread"], number.get("unit"), bare=True)
    within = f"{times_in_100(here['within'])} within ± {spread}"
    return ModelVerdict(True, f"{off[:1].upper()}{off[1:]} on average, {rows}, {within}{other}.")


def number_text(value: float, unit: str | None, bare: bool = False) -> str:
    """Return a number that a model tells, or how far off it is, for people.

    Args:
        bare: without its unit, where that was said just before: minutes are told as hours all the same.
    """
    if unit == MINUTES:
        return duration_text(round(value))
    return f"{value:.3g}" if bare else f"{value:.3g} {unit or ''}".rstrip()


def rows_are(card: Mapping[str, Any]) -> str:
    """Return what a row of its data is, for people."""
    if card.get("sound"):
        return "clips"
    return "frames" if (card.get("model") or {}).get("family") == "maps" else "readings"


def _unjudged(classes: Mapping[str, Mapping[str, Any]], row: str) -> list[str]:
    names = [name for name, row in classes.items() if row.get("rows") == 0]
    if not names:
        return []
    them = f"No {row} of {_listed(names)} was held out"
    return [f"{them}: nothing tells how well that is found. Record it in another place or on another day, too."]


def _same_recording(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    one = "was" if len(names) == 1 else "were each"
    return [
        f"{_listed(names)} {one} recorded in one go only, so nothing tells how it does another time. Record "
        f"{'it' if len(names) == 1 else 'each of them'} again, on another day, and train on all of it."
    ]


def _listed(names: Sequence[str]) -> str:
    texts = [repr(name) for name in names]
    return " and ".join([", ".join(texts[:-1]), texts[-1]]) if texts[1:] else texts[0]


def _constant(result: Mapping[str, Any]) -> tuple[str, float] | None:
    """Return the commonest class of the readings held out, and its share: what always saying it would be right on."""
    labels, sums = result.get("labels") or [], [sum(row) for row in result.get("confusion") or []]
    if not sum(sums) or len(labels) != len(sums):
        return None
    first = max(range(len(sums)), key=lambda i: sums[i])
    return labels[first], sums[first] / sum(sums)


def _no_better(card: Mapping[str, Any], result: Mapping[str, Any], commonest: str, share: float) -> list[str]:
    """Return why the model is no better than one answer for all, by what it was chosen by; by chance, as well."""
    accuracy, objective = result.get("accuracy"), (card.get("options") or {}).get("optimize")
    always = f"Always saying {commonest!r}, the commonest class, would be right about as often ({times_in_100(share)})."
    if not is_number(accuracy):
        return []
    stays = card.get("persistence") or {}
    key = "macro_f1" if objective == "macro-f1" else "accuracy"
    if objective != "cost" and is_number(stays.get(key)) and result[key] <= stays[key] + NOTABLE:
        return [f"Saying that it stays as it is would be right about as often ({times_in_100(stays['accuracy'])})."]
    if objective == "macro-f1" and is_number(result.get("macro_f1")):
        constant = 2 * share / (1 + share) / sum(sum(row) > 0 for row in result["confusion"])
        return [always] if result["macro_f1"] <= constant + NOTABLE else []
    if objective == "cost" and (costs := _costs(card, result)):
        return [f"One answer for all would cost no more: {costs[1]!r}."] if costs[0] else []
    if accuracy <= share + NOTABLE:
        return [always]
    rows = sum(map(sum, result["confusion"]))
    # At least so uncertain: rows of a group are alike.
    if accuracy - share < SURE * math.sqrt(accuracy * (1 - accuracy) / rows):
        right, constant = (f"{round(part * rows)} of {rows}" for part in (accuracy, share))
        return [f"It was right on {right} held out; always saying {commonest!r} on {constant}: that may be luck."]
    everywhere = card.get("each_group") or {}
    counts = ((card.get("data") or {}).get("rows_of_each_class") or {}).values()
    low, bar = (everywhere.get("interval") or [1])[0], max(counts, default=0) / max(1, sum(counts))
    if everywhere.get("units", 0) >= ENOUGH_UNITS and low <= bar:
        all_of_them = f"all {everywhere['units']} {everywhere['what']}s"
        return [
            f"Over {all_of_them} it was right {times_in_100(everywhere['accuracy'])}; "
            f"in others like these it may be {percent(low)} only, and always saying {commonest!r} was right on "
            f"{percent(bar)}: that may be luck."
        ]
    return []


def _costs(card: Mapping[str, Any], result: Mapping[str, Any]) -> tuple[bool, str] | None:
    """Return whether the cheapest answer for all costs no more than the model's answers, and which it is."""
    labels, confusion, given = result["labels"], result["confusion"], card.get("costs") or {}

    def cost(true: str, said: str) -> float:
        return 0.0 if true == said else float(given.get(f"{true}:{said}", 1))

    spent = sum(
        cost(true, said) * count
        for true, row in zip(labels, confusion, strict=True)
        for said, count in zip(labels, row, strict=True)
    )
    always = {s: sum(cost(t, s) * sum(row) for t, row in zip(labels, confusion, strict=True)) for s in labels}
    cheapest = min(always, key=lambda name: always[name])
    return always[cheapest] <= spent, cheapest
