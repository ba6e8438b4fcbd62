"""What a card says of a heater scan: one step beside ten and their ratios, and the shortest profile, in sentences."""

from collections.abc import Mapping
from typing import Any

from dibble_tools.common.formatting import percent


def scan_words(card: Mapping[str, Any]) -> list[str]:
    """Return what there is to say; none where the rows are no scans, or nothing was told of them."""
    scan = card.get("scan")
    if not scan:
        return []
    reached = ", ".join(f"{name} {percent(value)}" for name, value in scan["accuracy"].items())
    words = [f"{scan['of']}: {reached}; taken: {scan['chosen']}"]
    told = [f"{row['step']} ({percent(row['accuracy'])})" for row in scan.get("steps", [])]
    if told:
        whole = percent(scan["all_steps"])
        up_to = f" up to {scan['up_to']}, after which a point is gained at most" if "up_to" in scan else ""
        words.append(
            f"the steps that tell most{up_to}, each with those before it: {', '.join(told)}; all steps {whole}"
        )
    if shortest := scan.get("shortest"):
        before = scan["profile"]
        words.append(
            f"the shortest profile within a point, the heater's course the same up to each of these steps: "
            f'"{shortest["text"]}", {shortest["seconds"]:.1f} s and {shortest["mah"]:.3f} mAh a scan for '
            f"{before['seconds']:.1f} s and {before['mah']:.3f} mAh of {before['text']} at {scan['heater_ma']} mA; "
            "what comes after a pause of another length differs: collect with it before you rely on it"
        )
    return words
