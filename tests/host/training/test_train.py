"""`dibble train`, end to end: what is written, what the card says, and what stops it."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from dibble_tools.cli.main import app
from dibble_tools.common.errors import InputError
from dibble_tools.data.prepare import DataOptions, prepare
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.limits import Limits
from dibble_tools.model.oracle import class_scores
from dibble_tools.training.basis import study
from dibble_tools.training.result import Clock, TrainOptions
from dibble_tools.training.train import choose, learn, train
from typer.testing import CliRunner

pytestmark = pytest.mark.long

CLASSES = ("dry", "frost", "ok")


@pytest.fixture(scope="module")
def field_csv(tmp_path_factory):
    """Return a file of 900 rows, 6 nodes, 4 channels: the class follows from two of them, with noise."""
    rng = np.random.default_rng(1)
    soil, air = rng.uniform(100, 900, 900), rng.normal(6, 6, 900)
    state = np.where(
        air + rng.normal(0, 0.7, 900) < 0, "frost", np.where(soil + rng.normal(0, 25, 900) < 350, "dry", "ok")
    )
    lines = ["soil_permille,air_c,battery_mv,wind,state,node"]
    for i in range(900):
        lines.append(f"{soil[i]:.0f},{air[i]:.1f},{rng.integers(3300, 4200)},{rng.gamma(2, 2):.2f},{state[i]},n{i % 6}")
    path = tmp_path_factory.mktemp("field") / "field.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def run(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


def options(**changes) -> TrainOptions:
    base = {"data": DataOptions(label="state", group="node"), "budget_s": 2.0, "jobs": 1, "refit": False}
    return TrainOptions(**(base | changes))


@pytest.fixture(scope="module")
def searched(field_csv, tmp_path_factory):
    out = tmp_path_factory.mktemp("out") / "m"
    data = ("--label", "state", "--group", "node", "--cost", "frost:ok=5", "--novelty", "0.02")
    result = run("train", field_csv, *data, "--budget", "15s", "--max-bytes", "700", "--no-refit", "--out", out)
    assert result.exit_code == 0, result.output
    return out, json.loads((out / "card.json").read_text()), result.output


def test_model_card_report_and_pictures_are_written(searched) -> None:
    out, card, output = searched
    model = HostModel.open(out)
    assert len(model.blob) == card["model"]["bytes"] <= 700
    assert "<html" in (out / "report.html").read_text()
    assert len(list((out / "plots").glob("*.png"))) >= 3
    for word in ("teacher", "student float", "int8", "shipped", "packed", "chosen", "recipes cross-validated"):
        assert word in output


def test_the_stage_table_is_what_the_file_decides(searched, field_csv) -> None:
    out, card, _ = searched
    model = HostModel.open(out)
    data = prepare(field_csv, DataOptions(label="state", group="node"))
    names = [channel.name for channel in model.channels]
    at = [[c.name for c in data.channels].index(name) for name in names]
    test = data.split.test
    scores = class_scores(model.content, data.values[test][:, at])
    right = np.array(model.classes)[scores.argmax(axis=1)] == data.ds.labels[test]
    shipped = next(row for row in card["stages"] if row["stage"] == "shipped")
    assert shipped["accuracy"] == round(float(right.mean()), 4)
    assert shipped["bytes"] == len(model.blob)
    assert shipped["instructions"] > 10_000
    assert right.mean() > 0.85
    assert card["held_out"]["integer_model"]["accuracy"] == shipped["accuracy"]


def test_the_model_does_without_channels_that_tell_nothing(searched) -> None:
    _, card, _ = searched
    important = [row["channel"] for row in card["importance"] if row["drop"] > 0.05]
    assert set(important) == {"soil_permille", "air_c"}


def test_costs_and_novelty_are_in_the_card(searched) -> None:
    _, card, _ = searched
    assert card["costs"] == {"frost:ok": 5.0}
    assert card["novelty"]["rate"] == 0.02
    assert 0 < card["novelty"]["bytes"] <= 700 // 4
    assert card["novelty"]["flagged_held_out"] < 0.1


def test_exactly_one_recipe_is_chosen_and_it_fits(searched) -> None:
    _, card, _ = searched
    chosen = [row for row in card["front"] if row["chosen"]]
    assert len(chosen) == 1
    assert chosen[0]["fits"]
    assert chosen[0]["recipe"] == card["model"]["recipe"]
    assert len(card["front"]) >= 2


def test_a_cost_moves_decisions_towards_the_dear_class(field_csv) -> None:
    recipe = {"recipe": "mlp:0@4"}
    plain = train(field_csv, options(**recipe)).card["held_out"]["integer_model"]["classes"]["frost"]["recall"]
    dear = train(field_csv, options(**recipe, costs=["frost:ok=20", "frost:dry=20"])).card
    assert dear["held_out"]["integer_model"]["classes"]["frost"]["recall"] > plain


@pytest.mark.parametrize("recipe", ["mlp:6@3", "mlp:8@4/half", "mlp:8@4/codebook", "additive:8+2@3", "boosted:7x3@3"])
def test_a_recipe_is_made_as_it_is_told(field_csv, recipe: str) -> None:
    trained = train(field_csv, options(recipe=recipe))
    assert trained.card["model"]["recipe"] == recipe
    assert [row["recipe"] for row in trained.card["front"]] == [recipe]
    assert trained.card["held_out"]["integer_model"]["accuracy"] > 0.8
    assert trained.model.model.self_test() >= 3


def test_the_same_recipe_and_seed_give_the_same_file(field_csv) -> None:
    blobs = [train(field_csv, options(recipe="mlp:6@3")).model.blob for _ in range(2)]
    assert blobs[0] == blobs[1]


def test_the_model_that_ships_learned_from_all_rows_and_its_accuracy_is_of_the_one_that_did_not(field_csv) -> None:
    judged, shipped = (train(field_csv, options(recipe="additive:8+0@3", refit=refit)) for refit in (False, True))
    assert judged.card["refit"] is None
    assert shipped.card["refit"]["rows"] == 900
    assert shipped.model.blob != judged.model.blob
    for key in ("held_out", "stages", "cross_validated"):
        assert shipped.card[key] == judged.card[key]
    assert shipped.card["model"]["bytes"] == len(shipped.model.blob)
    assert [note for note in shipped.notes if "the model learned from all 900 rows" in note]


def test_stated_accuracies_have_intervals_over_the_nodes(field_csv) -> None:
    card = train(field_csv, options(recipe="additive:8+0@3")).card
    stated = card["cross_validated"]
    assert stated["units"] + len(card["split"]["how"].split(",")) == 6
    for figures in (stated, card["held_out"]["integer_model"]):
        low, high = figures["interval"]
        assert low < figures["accuracy"] < high


def test_a_shortcut_is_told_whatever_the_budget(tmp_path) -> None:
    rng = np.random.default_rng(0)
    lines = ["id,soil,state"]
    lines += [f"{3 * i},{rng.normal(400 + 40 * (i >= 150), 60):.0f},{'dry' if i < 150 else 'wet'}" for i in range(300)]
    (tmp_path / "sorted.csv").write_text("\n".join(lines) + "\n")
    data = DataOptions(label="state")
    card = train(tmp_path / "sorted.csv", options(data=data, recipe="additive:8+0@2", budget_s=0.1)).card
    assert card["shortcut"].startswith("id alone reaches")


def test_uneven_classes_are_chosen_by_macro_f1_and_told(tmp_path) -> None:
    rng = np.random.default_rng(1)
    lines = ["a,b,state"]
    lines += [f"{rng.normal(50 * (i % 20 == 0), 30):.0f},{rng.integers(100)},{i % 20 == 0}" for i in range(400)]
    (tmp_path / "rare.csv").write_text("\n".join(lines) + "\n")
    data = DataOptions(label="state")
    auto, plain = (
        train(tmp_path / "rare.csv", options(data=data, recipe="mlp:0@2", optimize=how)) for how in ("auto", "accuracy")
    )
    assert (auto.card["options"]["optimize"], auto.card["options"]["balance"]) == ("macro-f1", 0.3)
    assert (plain.card["options"]["optimize"], plain.card["options"]["balance"]) == ("accuracy", 0.0)
    assert [note for note in auto.notes if "chosen by macro-F1" in note]
    never = [note for note in plain.notes if "class 'True' is never decided" in note]
    assert bool(never) == (plain.card["held_out"]["integer_model"]["classes"]["True"]["recall"] == 0)


def test_a_node_unlike_those_of_training_is_told(tmp_path) -> None:
    """The node held out has a probe that reads 500 more: out of range, and by which channel."""
    rng = np.random.default_rng(2)
    lines = ["soil,air,state,node"]
    for i in range(300):
        soil, node = rng.normal(400 + 200 * (i % 2), 60), i % 5
        lines.append(f"{soil + 500 * (node == 4):.0f},{rng.integers(100)},{'wet' if i % 2 else 'dry'},n{node}")
    (tmp_path / "nodes.csv").write_text("\n".join(lines) + "\n")
    data = DataOptions(label="state", group="node", test_groups=["n4"])
    notes = train(tmp_path / "nodes.csv", options(data=data, recipe="additive:8+0@2")).notes
    assert [note for note in notes if "of the rows held out are out of range, most by soil" in note]


def test_a_class_of_a_single_training_group_is_told(tmp_path) -> None:
    """Nothing can say how it does on another group; the recipe is chosen by the classes that can be judged."""
    rng = np.random.default_rng(3)
    lines = ["a,b,state,node"]
    for i in range(240):
        node, state = i % 4, "xyz"[i // 4 % (3 if i % 4 == 0 else 2)]
        lines.append(f"{rng.normal(100 + 60 * 'xyz'.index(state), 15):.0f},{rng.integers(90)},{state},n{node}")
    (tmp_path / "thin.csv").write_text("\n".join(lines) + "\n")
    data = DataOptions(label="state", group="node", test_groups=["n3"])
    trained = train(tmp_path / "thin.csv", options(data=data, recipe="additive:8+0@2"))
    assert [note for note in trained.notes if "class 'z' is in one training group only, n0" in note]
    assert trained.card["cross_validated"]["rows"] == 180 - sum(",z,n0" in line for line in lines)
    assert trained.card["cross_validated"]["accuracy"] > 0.8


def test_what_a_search_chose_is_what_its_recipe_gives(field_csv) -> None:
    """But for the margin below which it is unsure, which a search measures on more folds."""
    found = learn(field_csv, options(family="additive", budget_s=2.0), Clock(2.0))
    again = learn(field_csv, options(recipe=str(found.chosen.recipe)), Clock(2.0))
    blobs = [done.about.smallest_blob(done.judged.student) for done in (found, again)]
    assert blobs[0] == blobs[1]


def test_an_additive_model_tells_why(field_csv) -> None:
    trained = train(field_csv, options(recipe="additive:16+0@4"))
    model = trained.model.model
    names = [channel.name for channel in trained.model.channels]
    middle = {"soil_permille": 700, "air_c": 80, "battery_mv": 3700, "wind": 400}
    row = [middle[name] for name in names]
    row[names.index("air_c")] = -60
    assert trained.model.classes[model.predict(row).class_index] == "frost"
    channel, amount = model.explain()
    assert (names[channel], amount > 0) == ("air_c", True)
    assert {shape["channel"] for shape in trained.card["shapes"]} <= set(names)


def test_a_model_whose_kernels_differ_from_numpys_is_not_shipped(field_csv) -> None:
    trained = train(field_csv, options(recipe="additive:16+0@4"))
    rows = np.array([[c.low for c in trained.model.channels], [c.high for c in trained.model.channels]])
    trained.model.cross_check(rows)
    node = trained.model.model
    right = node.check_and_score
    node.check_and_score = lambda row: right(row) + 256  # the margin, by one
    with pytest.raises(AssertionError, match="row 0: expected class, margin"):
        trained.model.cross_check(rows)


def test_predict_tells_why_for_an_additive_model_only(field_csv, tmp_path) -> None:
    for recipe, code in (("additive:16+0@4", 0), ("mlp:4@3", 1)):
        trained = train(field_csv, options(recipe=recipe))
        trained.model.save(tmp_path / "m.dib")
        result = run("predict", tmp_path / "m.dib", field_csv, "--why")
        assert result.exit_code == code
    assert "--why: expected an additive model" in str(result.exception)
    train(field_csv, options(recipe="additive:16+0@4")).model.save(tmp_path / "m.dib")
    lines = run("predict", tmp_path / "m.dib", field_csv, "--why").stdout.splitlines()
    assert lines[0] == "line,class,margin,flag,channel,held,because,push"
    assert len(lines) == 901
    frost = [line.split(",") for line in lines[1:] if line.split(",")[1] == "frost"]
    assert np.mean([cells[6] == "air_c" for cells in frost]) > 0.8


def test_too_few_bytes_are_told_with_what_is_needed(field_csv) -> None:
    with pytest.raises(InputError, match=r"expected a model within .*; the smallest that was tried takes \d+ bytes"):
        train(field_csv, options(limits=Limits(max_bytes=64)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--family", "svm"), "--family: expected auto, mlp, forest, additive; got 'svm'"),
        (("--optimize", "f1"), "--optimize: expected accuracy, macro-f1, cost or auto; got 'f1'"),
        (("--recipe", "mlp:8"), "--recipe: expected mlp:16@8"),
        (("--budget", "soon"), "--budget: expected a time from 1s to 168h"),
        (("--cost", "frost:okay=5"), "Did you mean 'ok'?"),
        (("--board", "picoo"), "--board: expected a board, got 'picoo'"),
        (("--max-us", "10"), "--max-us: expected --board too"),
        (("--dask", "tcp://127.0.0.1:1"), "--dask tcp://127.0.0.1:1: expected a Dask scheduler there"),
    ],
)
def test_wrong_options_are_told_and_nothing_is_written(field_csv, tmp_path, arguments, message) -> None:
    out = tmp_path / "m"
    result = run("train", field_csv, "--label", "state", "--group", "node", "--out", out, *arguments)
    assert isinstance(result.exception, InputError)
    assert message in str(result.exception)
    assert not out.exists()


def test_the_search_runs_on_a_dask_cluster(field_csv) -> None:
    from dibble_tools.training.job import cluster
    from distributed import LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, host="127.0.0.1") as local,
        cluster(local.scheduler_address),
    ):
        trained = train(field_csv, options(budget_s=12.0, family="mlp", jobs=2))
        workers = local.scheduler.workers.values()
        assert all(worker.metrics["time"] for worker in workers)
    assert trained.card["held_out"]["integer_model"]["accuracy"] > 0.85
    assert len(trained.card["front"]) > 2


def test_models_of_several_sizes_are_chosen_from_one_basis(field_csv) -> None:
    asked = options(recipe="additive:16+0@2")
    basis = study(field_csv, asked, Clock(2.0))
    before = list(basis.data.notes)
    large = choose(basis, asked, Clock(2.0))
    small = choose(basis, options(recipe="additive:6+0@1", limits=Limits(max_bytes=160)), Clock(2.0))
    assert len(small.shipped.model.blob) <= 160 < len(large.shipped.model.blob)
    assert large.shipped.model.blob == learn(field_csv, asked, Clock(2.0)).shipped.model.blob
    assert basis.data.notes == before
    assert small.data.notes != large.data.notes


def test_a_budget_that_was_overrun_is_told_with_what_the_process_got() -> None:
    times = iter([0.0, 12.4, 12.6])
    clock = Clock(10.0, lambda: next(times))
    assert clock.overrun() == []
    (said,) = clock.told()
    assert said.startswith("it took 13 s of a budget of 10")
    assert "had a processor for 0 s: " in said


def test_a_starved_machine_gets_a_whole_model_and_is_told_what_was_left_out(field_csv: Path) -> None:
    """Each look at the clock is five seconds later, which this process had no processor for."""
    ticks = itertools.count(step=5)
    clock = Clock(20.0, lambda: float(next(ticks)))
    done = learn(field_csv, options(jobs=2, refit=True), clock)
    assert done.shipped is done.judged and len(done.candidates) >= 2 and done.chosen.fits
    first, second = clock.told()
    assert first == (
        "left out, for the budget was used up: further processes, which would each begin by loading what this one has; "
        "a second look at the best recipes, on other folds; the same network in other forms; "
        "learning from the rows held out, too"
    )
    assert second.startswith("it took")


def test_a_recipe_is_made_alike_on_a_starved_machine(field_csv: Path) -> None:
    ticks = itertools.count(step=5)
    asked = options(recipe="additive:8+0@3", refit=True)
    done = learn(field_csv, asked, Clock(1.0, lambda: float(next(ticks))))
    assert done.shipped.model.blob == learn(field_csv, asked, Clock(60.0)).shipped.model.blob
