"""Recipes: which family, how large, of how many features. The tuner's alphabet."""

import re
from dataclasses import dataclass, replace

from dibble_tools.common.errors import InputError

MLP, ADDITIVE, BOOSTED, VOTING = "mlp", "additive", "boosted", "voting"
FAMILIES = {"mlp": (MLP,), "forest": (VOTING, BOOSTED), "additive": (ADDITIVE,)}

# Sizes of each kind, small to large. The tuner steps along them.
LADDERS: dict[str, list[tuple[int, ...]]] = {
    MLP: [(), (3,), (4,), (6,), (8,), (12,), (16,), (24,), (32,), (24, 12)],
    ADDITIVE: [(6, 0), (8, 0), (12, 0), (16, 0), (24, 0), (16, 4), (32, 0), (32, 6)],
    BOOSTED: [(1, 4), (2, 4), (4, 3), (7, 3), (12, 3), (20, 3), (36, 3), (60, 3), (100, 4)],
    VOTING: [(1, 6), (3, 6), (3, 10), (5, 10), (7, 16), (10, 24), (10, 40), (15, 60)],
}
FEATURES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96, 128, 192, 255)
SIGNS = {MLP: "-", ADDITIVE: "+", BOOSTED: "x", VOTING: "x"}
# What may be done to a network's weights: a share of them set to 0, or 4-bit places in a codebook.
PLAIN, HALF, QUARTER, CODEBOOK = "", "half", "quarter", "codebook"
STYLES = (PLAIN, HALF, QUARTER, CODEBOOK)
SPARSITY = {PLAIN: 0.0, HALF: 0.5, QUARTER: 0.75, CODEBOOK: 0.0}
LEAST_STYLED = 8  # hidden units from which on a style is worth a try
GRAMMAR = (
    "mlp:16@8 (hidden units @ features; mlp:16-8@8 two layers, mlp:0@8 none; mlp:16@8/half or /quarter keeps that "
    "share of the weights, /codebook shares 16 values), additive:16+3@8 (bins + pairs), boosted:10x6@8 or "
    "voting:10x32@8 (trees x leaves)"
)


@dataclass(frozen=True)
class Recipe:
    """How to make a student.

    Attributes:
        kind: MLP, ADDITIVE, BOOSTED or VOTING (the last two are the forest family).
        size: hidden widths; (bins, pairs); (rounds or trees, leaves).
        features: how many, best first.
        style: of an MLP's weights, one of STYLES.
    """

    kind: str
    size: tuple[int, ...]
    features: int
    style: str = PLAIN

    def __str__(self) -> str:
        size = SIGNS[self.kind].join(map(str, self.size)) or "0"
        return f"{self.kind}:{size}@{self.features}" + (f"/{self.style}" if self.style else "")

    @property
    def family(self) -> str:
        """The family's name, as in --family."""
        return next(name for name, kinds in FAMILIES.items() if self.kind in kinds)


def parse_recipe(text: str) -> Recipe:
    """Return the recipe that `--recipe` asks for."""
    pattern = r"(mlp|additive|boosted|voting):(\d+(?:[-+x]\d+)*)@(\d+)(?:/(half|quarter|codebook))?"
    match = re.fullmatch(pattern, text.strip())
    if match:
        kind, sizes, features, style = match[1], match[2], int(match[3]), match[4] or PLAIN
        size = tuple(map(int, re.split(r"[-+x]", sizes)))
        recipe = Recipe(kind, () if kind == MLP and size == (0,) else size, features, style)
        if str(recipe) == text.strip() and _sound(recipe):
            return recipe
    raise InputError(f"--recipe: expected {GRAMMAR}; got {text!r}")


def _sound(recipe: Recipe) -> bool:
    """Tell whether a recipe's numbers are ones that can be made."""
    size = recipe.size
    if not 1 <= recipe.features <= 255:
        return False
    if recipe.kind == MLP:
        return len(size) <= 3 and all(1 <= units <= 128 for units in size) and (not recipe.style or size != ())
    if recipe.style or len(size) != 2:
        return False
    if recipe.kind == ADDITIVE:
        return 4 <= size[0] <= 64 and size[1] <= 64
    return 1 <= size[0] <= 1000 and 2 <= size[1] <= 1000


def feature_counts(features: int, most: int | None = None) -> list[int]:
    """Return the numbers of features that are worth a try, ascending, of a data set that has so many."""
    counts = [n for n in FEATURES if n < features] + [features]
    return [n for n in counts if most is None or n <= most] or counts[:1]


def neighbours(recipe: Recipe, counts: list[int]) -> list[Recipe]:
    """Return the recipes one step larger or smaller, in size or in features."""
    ladder = LADDERS[recipe.kind]
    found = []
    if recipe.size in ladder:
        at = ladder.index(recipe.size)
        found += [replace(recipe, size=ladder[i]) for i in (at - 1, at + 1) if 0 <= i < len(ladder)]
    if recipe.style:
        found = [r for r in found if sum(r.size) >= LEAST_STYLED]
    if recipe.features in counts:
        at = counts.index(recipe.features)
        found += [replace(recipe, features=counts[i]) for i in (at - 1, at + 1) if 0 <= i < len(counts)]
    if recipe.kind == MLP and sum(recipe.size) >= LEAST_STYLED:
        found += [replace(recipe, style=style) for style in STYLES if style != recipe.style]
    return found
