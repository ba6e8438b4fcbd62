"""What the templates of a family's tables ask for."""

import itertools
from typing import Any

from dibble_tools.export.c.tables import Kind, signed, unsigned
from dibble_tools.model.content import Additive, Content, Forest, Mlp

BYTE = Kind("uint8_t", "FLASH8")


def forest_parts(content: Content, features: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the parts of a forest, and give each feature its thresholds and their width."""
    forest = content.family
    assert isinstance(forest, Forest)
    used: dict[int, int] = {8: 0, 16: 0, 32: 0}
    firsts = []
    for feature, own, thresholds in zip(features, content.features, forest.thresholds, strict=True):
        width = 8 if own.limit < 1 << 8 else 16 if own.limit < 1 << 16 else 32
        feature |= {"width": width, "thresholds": thresholds}
        firsts.append(used[width] if thresholds else 0)
        used[width] += len(thresholds)
    counts = [len(thresholds) for thresholds in forest.thresholds]
    starts = list(itertools.accumulate(forest.page_nodes, initial=0))
    pages = []
    for page, (start, end) in enumerate(itertools.pairwise(starts)):
        title = f"tree {page + 1}" if page < forest.trees else f"page {page + 1}"
        pages.append({"title": title, "numbers": [number for node in forest.nodes[start:end] for number in node]})
    return {
        "kind": "forest",
        "about": f"a forest of {forest.trees} tree{'s' * (forest.trees != 1)}",
        "widths": [{"bits": w, "kind": Kind(f"uint{w}_t", f"FLASH{w}")} for w, count in used.items() if count],
        "direct": not all(counts),
        "firsts": firsts,
        "first": unsigned(firsts),
        "counts": counts,
        "bits": [feature["width"] for feature in features],
        "pages": pages,
        "leaves_end": 128 + (len(content.classes) if forest.leaves is None else len(forest.leaves)),
        "followers": forest.first_followers,
        "follower": unsigned([len(pages)]),
        "starts": starts[:-1],
        "start": unsigned(starts),
        "base": unsigned(forest.base),
    } | (additive_parts(content, [feature["text"] for feature in features], kind="forest") if content.novelty else {})


def additive_parts(content: Content, texts: list[str], kind: str = "") -> dict[str, Any]:
    """Return the parts of additive tables: the family's, and those of novelty.

    Args:
        texts: what each feature is.
        kind: of the family, where that is another.
    """
    tables = {"family": content.family, "usual": content.novelty}
    additive = {part: found for part, found in tables.items() if isinstance(found, Additive)}
    parts: dict[str, Any] = {
        "term_texts": {
            part: [texts[t.a] + ("" if t.b is None else f" and {texts[t.b]}") for t in found.terms]
            for part, found in additive.items()
        },
        "cells": {part: unsigned([len(t.entries) for t in found.terms]) for part, found in additive.items()},
    }
    if "family" in additive:
        terms = len(additive["family"].terms)
        parts |= {"kind": "additive", "about": f"a sum of {terms} table{'s' * (terms != 1)}"}
    return parts


def mlp_parts(content: Content) -> dict[str, Any]:
    """Return the parts of a network."""
    network = content.family
    assert isinstance(network, Mlp)
    layers = []
    inputs = len(content.features)
    for layer in network.layers if len(content.classes) > 1 else []:
        form = layer.form
        table, weight = _weights(form, layer.rows)
        layers.append(
            {
                "form": form,
                "units": len(layer.rows),
                "inputs": inputs,
                "biases": layer.biases,
                "bias": signed(layer.biases),
                "shifts": layer.shifts,
                "book": layer.book,
                "table": table,
                "weight": weight,
                "title": TITLES[form].format(units=len(layer.rows), inputs=inputs),
            }
        )
        inputs = len(layer.rows)
    return {
        "kind": "mlp",
        "about": "a network of " + "-".join(str(n) for n in [len(content.features), *(x["units"] for x in layers)]),
        "layers": layers,
        "forms": {layer["form"] for layer in layers},
    }


TITLES = {
    "dense8": "A row for each of {units} units, a weight for each of {inputs} inputs.",
    "dense16": "A row for each of {units} units, a weight for each of {inputs} inputs.",
    "sparse8": "For each of {units} units how many weights are not 0, then each one's input, and it as 8 bits.",
    "codebook4": "For each of {units} units places in the book: two of {inputs} inputs a byte, upper half first.",
}


def _weights(form: str, rows: list) -> tuple[list[list[int]], Kind]:
    """Return the rows of the table, and its type."""
    if form == "sparse8":
        return [[len(row), *(n for at, weight in row for n in (at, weight & 255))] for row in rows], BYTE
    if form == "codebook4":
        padded = [[*row, 0] if len(row) % 2 else row for row in rows]
        return [[a << 4 | b for a, b in zip(row[::2], row[1::2], strict=True)] for row in padded], BYTE
    return rows, Kind("int8_t", "FLASH8") if form == "dense8" else Kind("int16_t", "FLASH16")
