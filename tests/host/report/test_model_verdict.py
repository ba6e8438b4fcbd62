"""Whether to rely on a model: what its card's figures say, in a sentence."""

import pytest
from dibble_tools.report.verdict import verdict_of


def card(confusion, labels=("dry", "wet"), **more):
    """Return a card of a confusion matrix, with what else it holds."""
    rows = sum(map(sum, confusion))
    right = sum(confusion[i][i] for i in range(len(labels))) / rows
    classes = {name: {"rows": sum(row)} for name, row in zip(labels, confusion, strict=True)}
    result = {"rows": rows, "accuracy": right, "labels": list(labels), "confusion": confusion, "classes": classes}
    return {"split": {"how": "node 3 held out"}, "held_out": {"integer_model": result}, **more}


def test_a_good_model_is_said_to_be_right_beside_the_commonest_answer():
    found = verdict_of(card([[40, 10], [0, 50]]))
    assert found.rely and found.reasons == ()
    assert found.words == (
        "Right 90 times in 100, on 100 readings that it had never seen (node 3 held out); always saying 'dry' would "
        "be, 50 times in 100."
    )


def test_a_model_no_better_than_the_commonest_answer_is_not_to_be_relied_on():
    found = verdict_of(card([[0, 30], [1, 69]]))
    assert not found.rely
    assert found.words.startswith("Don't rely on this model: Always saying 'wet', the commonest class, would be right")


def test_a_class_of_which_no_row_was_held_out_is_not_relied_on():
    found = verdict_of(card([[0, 0], [1, 69]]))
    assert not found.rely
    assert found.reasons[0].startswith("No reading of 'dry' was held out: nothing tells how well that is found.")


def test_classes_of_a_single_recording_are_not_relied_on():
    found = verdict_of(card([[50, 0], [0, 50]]) | {"split": {"how": "x", "same_recording": ["dry", "wet"]}})
    assert not found.rely
    assert "'dry' and 'wet' were each recorded in one go only" in found.words
    one = verdict_of(card([[50, 0], [0, 50]]) | {"split": {"same_recording": ["wet"]}})
    assert "'wet' was recorded in one go only, so nothing tells how it does another time. Record it again" in one.words


def test_what_chance_may_have_brought_over_several_groups_is_not_relied_on():
    """Four nodes of noise: 60 % on the one held out, 47 % over all, a third at most by one answer."""
    each = {"what": "node", "units": 4, "accuracy": 0.47, "interval": [0.32, 0.62], "groups": []}
    noise = card([[60, 40], [40, 60]]) | {"each_group": each, "data": {"rows_of_each_class": {"dry": 5, "wet": 5}}}
    assert "that may be luck" in verdict_of(noise).words
    assert verdict_of(noise | {"each_group": each | {"units": 3}}).rely
    assert verdict_of(noise | {"each_group": each | {"interval": [0.51, 0.62]}}).rely


def test_what_chance_may_have_brought_on_few_readings_is_not_relied_on():
    few = verdict_of(card([[5, 5], [2, 6]]))
    assert few.reasons == ("It was right on 11 of 18 held out; always saying 'dry' on 10 of 18: that may be luck.",)
    assert verdict_of(card([[50, 50], [20, 60]])).rely is False
    assert verdict_of(card([[8, 2], [1, 7]])).rely


@pytest.mark.parametrize(("macro_f1", "rely"), [(0.49, False), (0.60, True)])
def test_a_rare_class_counts_where_the_model_was_chosen_for_it(macro_f1, rely):
    """Always saying "ok" is right on 95 %, with a macro-F1 of 0.487."""
    rare = card([[3, 2], [4, 91]], ("frost", "ok"), options={"optimize": "macro-f1"})
    rare["held_out"]["integer_model"]["macro_f1"] = macro_f1
    assert verdict_of(rare).rely is rely
    assert not verdict_of(rare | {"options": {"optimize": "accuracy"}}).rely


def test_what_errors_cost_is_compared_where_costs_were_given():
    given = {"options": {"optimize": "cost"}, "costs": {"frost:ok": 9.0}}
    found = verdict_of(card([[5, 0], [30, 65]], ("frost", "ok"), **given))
    assert found.rely  # 30 false alarms for 45 by always "ok" and 95 by always "frost"
    found = verdict_of(card([[1, 4], [10, 85]], ("frost", "ok"), **given))
    assert found.reasons == ("One answer for all would cost no more: 'ok'.",)  # 46 for 45


def test_what_tells_of_later_has_to_beat_saying_that_it_stays():
    ahead = card([[40, 10], [0, 50]], persistence={"accuracy": 0.8, "macro_f1": 0.8})
    assert verdict_of(ahead).rely
    assert "(node 3 held out); that it stays as it is, 80 times in 100; always saying 'dry'" in verdict_of(ahead).words
    found = verdict_of(ahead | {"persistence": {"accuracy": 0.9, "macro_f1": 0.9}})
    assert found.reasons == ("Saying that it stays as it is would be right about as often (90 times in 100).",)


def test_a_shortcut_is_named_before_the_figures():
    found = verdict_of(card([[50, 0], [0, 50]], shortcut="soil alone reaches 100 %"))
    assert found.rely
    assert found.words.startswith("Check this before you trust it: soil alone reaches 100 %. Right 100 times in 100")


def test_what_a_card_says_of_itself_is_taken():
    said = {"rely": False, "words": "Don't.", "reasons": ["why"]}
    found = verdict_of(card([[50, 0], [0, 50]], verdict=said))
    assert found.to_json() == said


def test_a_card_without_figures_has_no_verdict():
    assert verdict_of({}) is None
    assert verdict_of({"held_out": {"integer_model": None}, "split": None}) is None


def test_rows_are_called_what_they_are():
    assert "on 100 clips that" in verdict_of(card([[40, 10], [0, 50]], sound={"clips": 100})).words
    assert "on 100 frames that" in verdict_of(card([[40, 10], [0, 50]], model={"family": "maps"})).words
    assert verdict_of(card([[0, 0], [1, 69]], sound={"clips": 70})).reasons[0].startswith("No clip of 'dry' was held")
