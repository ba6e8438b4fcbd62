"""Fit the mlp family: scalers, a float network from soft targets, pruning, integer tables."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dibble_tools.common import portable
from dibble_tools.common.errors import InputError
from dibble_tools.families.mlp.network import DECAY, Grid, Net, forward, learn, loss, new_net, probabilities, train
from dibble_tools.families.mlp.pruning import prune_units, prune_weights
from dibble_tools.families.mlp.quantizing import MARGIN_UNIT, integer_net, share_weights, to_tables, without_idle
from dibble_tools.families.mlp.tables import UNITS_MAX, WIDE_INPUTS_MAX, MlpTables, codes_of, weight_bytes
from dibble_tools.families.scaling import Scaler, fit_scaler

SPREAD_MIN = 8.0  # codes: a feature that hardly moves in training mustn't count for hundreds of deviations later
AS_IT_IS = Scaler(log=False, bias=0, zero_point=0, multiplier=1, shift=0, top=255)
UNTOLD = 1e-3  # of an input's variance: what is less, beside what other inputs tell of it, is noise
RATE = 0.3  # integer steps, under rounding
SHARE, SHARE_BOOK = 0.25, 0.6  # of a first training, under rounding: 16 shared weights need more of it than 8 bits
LOSS_MAX = 0.003  # of accuracy against the float network, before a layer gets more bits
HIDDEN_MAX = 3
WIDER = {"codebook4": "dense8", "dense8": "dense16"}


@dataclass(frozen=True)
class MlpRecipe:
    """What network to fit.

    Attributes:
        hidden: units of each hidden layer, 0..3 of them; none is multinomial logistic regression.
        sparsity: share of all weights that become 0.
        drop_units: so many more units a hidden layer are trained first, then the least useful dropped.
        form: dense8, or codebook4 (16 weights a layer, where that is smaller).
        uncorrelated: the first training is on inputs made so; the network that comes out is on the inputs themselves.
    """

    hidden: tuple[int, ...]
    sparsity: float = 0.0
    drop_units: int = 0
    form: str = "dense8"
    uncorrelated: bool = False


@dataclass(frozen=True)
class FloatNetwork:
    """A float network on codes.

    Attributes:
        scalers: one for each of its features.
        features: columns of the feature values it looks at.
        middle: code that is its input 0, int64; spread: codes that are its input 1.
    """

    scalers: list[Scaler]
    features: list[int]
    middle: np.ndarray
    spread: np.ndarray
    net: Net

    def predict_scores(self, values: np.ndarray, limits: Sequence[int]) -> np.ndarray:
        """Return logits (rows, classes) in nats of feature values (rows, all features); class 0's are 0."""
        codes = codes_of(self.scalers, values[:, self.features], [limits[f] for f in self.features])
        logits = forward(self.net, self.inputs(codes))[-1]
        return np.column_stack([np.zeros(len(logits)), logits])

    def inputs(self, codes: np.ndarray) -> np.ndarray:
        """Return the network's inputs for codes: about standardized."""
        return (codes - self.middle) / self.spread


@dataclass(frozen=True)
class MlpStages:
    """A fitted network, stage by stage.

    Attributes:
        student: the float network as trained; pruned: after pruning (the same one without pruning).
        features: columns of the feature values that the tables look at, ascending; the others have no weight.
        tables: the integer network over these features only.
        widened: layers that had to be 16 bits wide.
    """

    student: FloatNetwork
    pruned: FloatNetwork
    features: list[int]
    tables: MlpTables
    widened: list[int]

    @property
    def scalers(self) -> list[Scaler]:
        """The tables' scalers, one for each of `features`."""
        return self.tables.scalers

    def scores(self, values: np.ndarray, limits: Sequence[int]) -> np.ndarray:
        """Return the tables' scores (rows, classes), int64, of feature values (rows, all features)."""
        return self.tables.scores(values[:, self.features], [limits[f] for f in self.features])


def fit(
    values: np.ndarray,
    limits: Sequence[int],
    lows: Sequence[int],
    targets: np.ndarray,
    weights: np.ndarray,
    recipe: MlpRecipe,
    seed: int = 0,
    features: Sequence[int] | None = None,
) -> MlpStages:
    """Fit a network to feature values.

    Args:
        values: int64 (rows, features), 0..limits.
        lows: what a value of 0 stands for, one a feature.
        targets: (rows, classes), rows sum to 1; at least 2 classes.
        weights: (rows,)
        features: columns to look at, all by default.
    Raises:
        InputError: too many features or units for the sums to stay within bounds.
    """
    _check(recipe, targets.shape[1], len(limits) if features is None else len(features))
    rng = np.random.default_rng(seed)
    used = sorted(features) if features is not None else list(range(len(limits)))
    scalers = [fit_scaler(values[:, f], limits[f], 255, lows[f]) for f in used]
    codes = codes_of(scalers, values[:, used], [limits[f] for f in used])
    middle = np.rint(codes.mean(axis=0)).astype(np.int64)
    spread = np.maximum(codes.std(axis=0), SPREAD_MIN)
    soft, mass = targets, weights / weights.mean()
    wide = tuple(units + recipe.drop_units for units in recipe.hidden)
    net = new_net((len(used), *wide, targets.shape[1] - 1), rng)
    student = FloatNetwork(scalers, used, middle, spread, net)
    x = student.inputs(codes)
    apart = recipe.uncorrelated and recipe.hidden
    net = learn_uncorrelated(net, x, soft, mass, rng) if apart else learn(net, x, soft, mass, rng)
    student = FloatNetwork(scalers, used, middle, spread, net)
    if recipe.drop_units:
        net = prune_units(net, x, soft, mass, rng, count=recipe.drop_units)
    if recipe.sparsity:
        net = prune_weights(net, x, soft, mass, rng, sparsity=recipe.sparsity)
    pruned = FloatNetwork(scalers, used, middle, spread, net)
    tables, widened = quantize(pruned, codes, soft, mass, recipe.form, seed)
    tables, kept = without_idle(tables)
    return MlpStages(student, pruned, [used[i] for i in kept], tables, widened)


def learn_uncorrelated(
    net: Net, x: np.ndarray, targets: np.ndarray, weights: np.ndarray, rng: np.random.Generator
) -> Net:
    """Return the net after a first training on inputs each of which is what those before it don't tell, of variance 1.

    Of inputs that move together what tells classes apart may be in small differences between them, which gradient
    descent comes to last: it never does in so few steps. The same network on the inputs themselves is returned.
    Source: LeCun, Bottou, Orr, Müller, Efficient BackProp, 1998, 4.3; whitening by the Cholesky factor.
    """
    mean = x.mean(axis=0)
    centred = x - mean
    joint = portable.matmul(centred.T, centred) / len(x)
    joint += np.diag(UNTOLD * np.diag(joint) + UNTOLD)
    root = portable.inverse_root(joint)
    net = learn(net, portable.matmul(centred, root), targets, weights, rng)
    net = replace(net, vector=net.vector.copy())
    first, biases = net.layers()[0]
    first[:] = portable.apply(first, root.T)
    biases -= portable.apply(first, mean[:, None])[:, 0]
    return net


def fit_codes(
    codes: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    recipe: MlpRecipe,
    seed: int = 0,
    *,
    share: float = 1.0,
    decay: float = DECAY,
) -> MlpTables:
    """Return a network over features that are codes as they come, all of them: what a sense makes of a stream.

    Args:
        codes: int64 (rows, features), 0..255.
        targets, weights: see fit.
        share: how long it is trained, compared to `fit`.
        decay: of the weights; see network.train.
    """
    _check(recipe, targets.shape[1], codes.shape[1])
    rng = np.random.default_rng(seed)
    middle = np.rint(codes.mean(axis=0)).astype(np.int64)
    spread = np.full(codes.shape[1], max(float(codes.std(axis=0).mean()), SPREAD_MIN))  # levels are of one unit
    mass = weights / weights.mean()
    net = new_net((codes.shape[1], *recipe.hidden, targets.shape[1] - 1), rng)
    network = FloatNetwork([AS_IT_IS] * codes.shape[1], list(range(codes.shape[1])), middle, spread, net)
    x = network.inputs(codes)
    net = learn(net, x, targets, mass, rng, share=share, decay=decay)
    if recipe.sparsity:
        net = prune_weights(net, x, targets, mass, rng, sparsity=recipe.sparsity)
    return quantize(replace(network, net=net), codes, targets, mass, recipe.form, seed)[0]


def _check(recipe: MlpRecipe, classes: int, features: int) -> None:
    if len(recipe.hidden) > HIDDEN_MAX or not all(1 <= units <= UNITS_MAX for units in recipe.hidden):
        raise InputError(f"mlp: expected 0..{HIDDEN_MAX} hidden layers of 1..{UNITS_MAX} units, got {recipe.hidden}")
    if not 2 <= classes <= UNITS_MAX + 1 or not 1 <= features <= UNITS_MAX:
        raise InputError(f"mlp: expected 2 classes or more and 1..{UNITS_MAX} features, got {classes} and {features}")
    if not 0 <= recipe.sparsity < 1 or recipe.form not in ("dense8", "codebook4"):
        raise InputError(f"mlp: expected a sparsity of 0..1 and form dense8 or codebook4, got {recipe}")


def quantize(
    student: FloatNetwork, codes: np.ndarray, targets: np.ndarray, weights: np.ndarray, form: str, seed: int
) -> tuple[MlpTables, list[int]]:
    """Return (tables, layers that had to be 16 bits wide) of a float network; its margins as fine as they fit."""
    unit = MARGIN_UNIT
    while True:
        try:
            return _quantize(student, codes, targets, weights, form, np.random.default_rng(seed), unit)
        except InputError:
            if unit <= 1:
                raise
            unit /= 2


def _quantize(
    student: FloatNetwork,
    codes: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    form: str,
    rng: np.random.Generator,
    unit: float,
) -> tuple[MlpTables, list[int]]:
    """Train under rounding towards the float network's own probabilities.

    Towards the labels it would become another network, which under a drift of the sensors may be
    right elsewhere.
    """
    net = student.net
    standard, x = student.inputs(codes), (codes - student.middle).astype(np.float64)
    logits = forward(net, standard)[-1]
    chances = probabilities(logits)
    truth = targets.argmax(axis=1)

    def start(forms: Sequence[str]) -> tuple[Net, Grid]:
        return share_weights(*integer_net(net, standard, student.spread, forms, unit), forms)

    def trained(forms: Sequence[str]) -> tuple[Net, Grid]:
        first, grid = start(forms)
        share = SHARE_BOOK if "codebook4" in forms else SHARE
        better = train(first, x, chances, weights, rng, share=share, rate=RATE, grid=grid)
        return min((first, better), key=lambda n: loss(n, x, chances, weights, grid)), grid

    forms = [form if weight_bytes(w, form) < weight_bytes(w, "dense8") else "dense8" for w, _ in net.layers()]
    best, grid = trained(forms)
    while _right(logits, truth) - _right(forward(best, x, grid)[-1], truth) > LOSS_MAX:
        options = _wider(forms, net.sizes)
        if not options:
            break
        first = [start(option) for option in options]
        losses = [loss(wide, x, chances, weights, its_grid) for wide, its_grid in first]
        forms = options[int(np.argmin(losses))]
        best, grid = trained(forms)
    tables = to_tables(best, grid, student.scalers, student.middle, forms, unit)
    return tables, [i for i, f in enumerate(forms) if f == "dense16"]


def _wider(forms: Sequence[str], sizes: Sequence[int]) -> list[list[str]]:
    """Return the forms with one layer or another given more bits."""
    return [
        [*forms[:i], WIDER[form], *forms[i + 1 :]]
        for i, form in enumerate(forms)
        if form in WIDER and (WIDER[form] != "dense16" or sizes[i] <= WIDE_INPUTS_MAX)
    ]


def _right(logits: np.ndarray, truth: np.ndarray) -> float:
    """Return the share of rows whose highest logit, class 0's being 0, is the true class's."""
    return float(np.mean(np.where(logits.max(axis=1) > 0, logits.argmax(axis=1) + 1, 0) == truth))
