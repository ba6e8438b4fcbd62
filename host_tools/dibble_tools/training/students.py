"""A recipe and a training set -> a student: a family's integer tables, and the stages on the way to them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dibble_tools.families.additive.tables import AdditiveTables
from dibble_tools.families.additive.training import AdditiveRecipe
from dibble_tools.families.additive.training import fit as fit_additive
from dibble_tools.families.forest import integer_trees, pages
from dibble_tools.families.forest.boosting import BoostedRecipe, BoostedStages, fit_boosted
from dibble_tools.families.forest.voting import VotingRecipe, VotingStages, fit_voting
from dibble_tools.families.mlp.training import FloatNetwork, MlpRecipe, MlpStages
from dibble_tools.families.mlp.training import fit as fit_mlp
from dibble_tools.model.tables_bytes import Tables
from dibble_tools.training.recipes import ADDITIVE, BOOSTED, CODEBOOK, MLP, SPARSITY, Recipe
from dibble_tools.training.training_set import TrainingSet

GROWN = 2  # a voting forest grows so many times the leaves it is pruned to


@dataclass(frozen=True)
class Stage:
    """One step on the way to a student.

    Attributes:
        stage: its name, as in the stage table.
        what: for people.
        scores: float scores (rows, classes) of the data set's feature values; None for integer tables.
        tables, columns: integer tables over some of the features; None for a float stage.
    """

    stage: str
    what: str
    scores: Callable[[np.ndarray], np.ndarray] | None = None
    tables: Tables | None = None
    columns: tuple[int, ...] = ()


@dataclass(frozen=True)
class Student:
    """A fitted student.

    Attributes:
        columns: the features of the data set that its tables are over, in order.
        tables: integer tables.
        margin_unit: score steps a nat of log-odds; 1 where scores are votes.
        stages: what it was before, and might have been.
        notes: what is worth telling.
    """

    recipe: Recipe
    columns: tuple[int, ...]
    tables: Tables
    margin_unit: float
    stages: list[Stage]
    notes: list[str]


def fit_student(recipe: Recipe, data: TrainingSet, order: Sequence[int], seed: int, *, full: bool = False) -> Student:
    """Fit a student of a recipe.

    Args:
        order: features of the data, best first; the recipe takes as many as it names.
        full: also make what it might have been, for the stage table.
    Raises:
        InputError: such a model can't be exact on a 32-bit board.
    """
    columns = tuple(sorted(order[: recipe.features]))
    few = data.columns(columns)
    if recipe.kind == MLP:
        return _mlp(recipe, few, columns, seed, full)
    if recipe.kind == ADDITIVE:
        return _additive(recipe, few, columns)
    return _forest(recipe, few, columns, seed)


def _mlp(recipe: Recipe, few: TrainingSet, columns: tuple[int, ...], seed: int, full: bool) -> Student:
    def fit(form: str) -> MlpStages:
        how = MlpRecipe(recipe.size, SPARSITY[recipe.style], form=form, uncorrelated=few.uncorrelated)
        return fit_mlp(few.values, few.limits, few.lows, few.targets, few.weights, how, seed)

    def over(stages: MlpStages) -> tuple[int, ...]:
        return tuple(columns[i] for i in stages.features)

    def floats(student: FloatNetwork) -> Callable[[np.ndarray], np.ndarray]:
        return lambda values: student.predict_scores(values[:, list(columns)], few.limits)

    shared = recipe.style == CODEBOOK
    made = fit("codebook4" if shared else "dense8")
    layers = "-".join(map(str, (len(columns), *recipe.size, few.classes)))
    stages = [Stage("student float", f"network {layers}, distilled from the teacher", floats(made.student))]
    if SPARSITY[recipe.style]:
        share = f"{SPARSITY[recipe.style]:.0%} of the weights set to 0, the others retrained"
        stages.append(Stage("pruned", share, floats(made.pruned)))
    if full:
        plain, book = (fit("dense8"), made) if shared else (made, fit("codebook4"))
        stages.append(Stage("int8", "weights of 8 bits", tables=plain.tables, columns=over(plain)))
        if any(layer.form == "codebook4" for layer in book.tables.layers):
            stages.append(Stage("codebook", "16 weights a layer shared by all", tables=book.tables, columns=over(book)))
    wide = [f"layer {i + 1} of the network has 16-bit weights: 8 bits cost it accuracy" for i in made.widened]
    return Student(recipe, over(made), made.tables, made.tables.margin_unit, stages, wide)


def _additive(recipe: Recipe, few: TrainingSet, columns: tuple[int, ...]) -> Student:
    bins, pairs = recipe.size
    made = fit_additive(few.values, few.limits, few.lows, few.targets, few.weights, AdditiveRecipe(bins, pairs))
    tables, used = without_unused(made.tables)
    over = tuple(columns[i] for i in used)
    what = f"additive model, {bins} bins a feature, {pairs} pairs"
    stages = [
        Stage("student float", what, lambda values: made.scores(values[:, list(columns)], few.limits)),
        Stage("int8", "tables of 8 bits", tables=tables, columns=over),
    ]
    return Student(recipe, over, tables, tables.margin_unit, stages, [])


def _forest(recipe: Recipe, few: TrainingSet, columns: tuple[int, ...], seed: int) -> Student:
    count, leaves = recipe.size
    made: BoostedStages | VotingStages
    if recipe.kind == BOOSTED:
        made = fit_boosted(few.values, few.targets, few.weights, BoostedRecipe(count, leaves), seed)
        what = f"boosted forest, {count} rounds of trees of {leaves} leaves"
        last = "thresholds exact, leaves share a few scores"
    else:
        splits = count * (leaves - 1)
        how = VotingRecipe(count, GROWN * leaves, max_nodes=splits)
        made = fit_voting(few.values, few.targets, few.weights, how, seed)
        what = f"voting forest of {count} trees, pruned by cost-complexity from {GROWN * leaves} leaves each"
        last = f"{splits} splits at most, thresholds exact; a leaf votes for one class, more or less surely"
    used = integer_trees.used_features(made.trees) or [0]
    tables = pages.pack(integer_trees.renumber(made.trees, used), len(used), [few.limits[i] for i in used])
    over = tuple(columns[used[source]] for source in tables.sources)
    stages = [
        Stage("student float", what, lambda values: made.scores(values[:, list(columns)])),
        Stage("int8", last, tables=tables, columns=over),
    ]
    return Student(recipe, over, tables, made.margin_unit, stages, [])


def without_unused(tables: AdditiveTables) -> tuple[AdditiveTables, list[int]]:
    """Leave out the features that no term uses: return the tables over the others, and which these are."""
    used = [i for i, scaler in enumerate(tables.scalers) if scaler is not None] or [0]
    place = {feature: i for i, feature in enumerate(used)}
    terms = [replace(term, features=tuple(place[f] for f in term.features)) for term in tables.terms]
    return replace(tables, scalers=[tables.scalers[i] for i in used], terms=terms), used
