"""A model and a configuration by way of a real broker to a real node: taken, tried, confirmed, or taken back."""

import pytest
from dibble_tools.data.channels import Channel
from dibble_tools.node.signatures import sign
from dibble_tools.radio.mqtt import Retained, offer_topic, piece_topic
from dibble_tools.radio.parcel import Parcel, parcel_of
from node_helpers import CHANNELS, soil_model
from radio_bench import KEY, NODE, OLD, config_of, states, told

pytestmark = pytest.mark.long

NEW = soil_model(500)


def said(collector, state: str) -> bool:
    """Tell whether the node has said such a state."""
    return any(f'"state":"{state}"'.encode() in payload for _, payload, _ in list(collector.messages))


def test_a_model_is_taken_tried_and_confirmed(bench, collector):
    parcel = parcel_of("model", NEW, piece_bytes=40)
    bench.offer(parcel)
    assert bench.settle(collector, parcel) == ["reset", "stop"]
    assert bench.runs() == "dry below 500"
    assert states(collector) == ["receiving 4 of 4", "tried 4 of 4", "confirmed 4 of 4"]
    last = told(collector)[-1]
    assert (last["kind"], last["crc"], last["installed"], last["latest"]) == (
        "model",
        parcel.told_crc,
        parcel.version,
        parcel.version,
    )
    about = told(collector, "about")[-1]
    assert (about["model"], about["model_name"], about["first_seq"]) == (parcel.version, "dry below 500", 1)
    health = told(collector, "health")[-1]
    assert (health["rssi_dbm"], health["unsure_permille"], health["records"]) == (-67, 0, bench.rows()[-1].sequence)


def test_what_is_there_already_is_confirmed_without_a_piece(bench, collector):
    bench.publish(Retained(offer_topic(NODE), parcel_of("model", OLD).offer()))
    bench.run_on(10, lambda: said(collector, "tried"))
    assert states(collector)[-1] == "tried 1 of 1"  # as this boot isn't confirmed


def test_a_configuration_is_taken_tried_and_confirmed(bench, collector):
    parcel = parcel_of("config", config_of(bench, interval_s=30))
    bench.offer(parcel)
    assert bench.settle(collector, parcel) == ["reset", "stop"]
    assert states(collector)[-1] == f"confirmed {parcel.count} of {parcel.count}"
    assert told(collector, "about")[-1]["interval_s"] == 30


@pytest.mark.parametrize("silent", [{"port": 9}, {"host": ""}], ids=["another broker", "no radio"])
def test_a_configuration_under_which_no_report_arrives_gives_way(bench, collector, silent):
    """The node runs well under it: what it lacks is the radio, without which no other would ever come."""
    parcel = parcel_of("config", config_of(bench, mqtt={**bench.config["mqtt"], "timeout_ms": 1000, **silent}))
    bench.offer(parcel)
    assert bench.settle(collector, parcel) == ["reset", "reset", "stop"]
    assert states(collector)[-1] == "rolled back 1 of 1: it never came to a good minute and a report"
    bench.vm.console = b""
    assert bench.run(1) == "stop" and bench.events("boot") == []
    assert bench.rows()[-1].sequence == told(collector, "state")[-1]["seq"]


def test_a_configuration_that_is_none_is_refused(bench, collector):
    parcel = parcel_of("config", b'{"interval_s": 1}')
    bench.offer(parcel)
    assert bench.settle(collector, parcel) == ["reset", "stop"]
    assert "refused" in states(collector)[-1] and "interval_s: expected 2 to 86400, got 1" in states(collector)[-1]


def test_a_model_of_other_channels_is_refused_and_the_old_one_runs(bench, collector):
    other = soil_model(500, [Channel("peat_moisture_permille", "permille", 1, 0, 0, 1000), CHANNELS[1]])
    parcel = parcel_of("model", other)
    bench.offer(parcel)
    assert bench.settle(collector, parcel) == ["reset", "stop"]
    assert "refused 1 of 1: expected a sensor for the model's channel peat_moisture" in states(collector)[-1]
    bench.vm.console = b""
    assert bench.run(1) == "stop"
    assert bench.runs() == "dry below 400" and bench.events("boot") == []


def signed_parcel(content: bytes, counter: int, key: bytes = KEY) -> Parcel:
    return Parcel("model", content, sign(key, "model.dib", counter, content) + content)


def test_a_node_with_a_key_takes_what_is_signed_with_it_and_nothing_older(keyed, collector):
    for parcel, why in (
        (parcel_of("model", NEW), "refused 1 of 1: expected a signature, as this node has a key, got none"),
        (
            signed_parcel(NEW, 11, bytes(32)),
            "refused 1 of 1: model.dib.sig: expected model.dib as it was signed with the node's key, got another",
        ),
        (
            signed_parcel(soil_model(600), 9),
            "refused 1 of 1: model.dib.sig: expected a counter of at least 10, got 9: an older file",
        ),
    ):
        keyed.offer(parcel)
        assert keyed.settle(collector, parcel) == ["stop"]
        assert states(collector)[-1] == why
    parcel = parcel_of("model", NEW, KEY)
    keyed.offer(parcel)
    assert keyed.settle(collector, parcel) == ["reset", "stop"]
    assert states(collector)[-1] == "confirmed 1 of 1" and keyed.runs() == "dry below 500"
    assert KEY not in keyed.vm.console


def test_an_offer_that_waits_is_taken_when_somebody_says_install(bench, collector):
    parcel = parcel_of("model", NEW, waits=True)
    bench.offer(parcel)
    assert bench.run_on(10, lambda: said(collector, "offered")) == ["stop"]
    assert states(collector)[-1] == "offered 0 of 1"
    assert told(collector)[-1]["latest"] == parcel.version != told(collector)[-1]["installed"]
    bench.publish(Retained(f"dibble/{NODE}/in/install", b"install"))
    assert bench.settle(collector, parcel) == ["reset", "stop"]
    assert states(collector)[-1] == "confirmed 1 of 1"
    collector.settle()
    assert (f"dibble/{NODE}/in/install", b"") in [(topic, payload) for topic, payload, _ in collector.messages]


def test_a_piece_of_another_offer_is_told_and_waited_for(bench, collector):
    parcel = parcel_of("model", NEW, piece_bytes=40)
    bench.offer(parcel)
    bench.publish(Retained(piece_topic(NODE, 2), parcel_of("model", OLD, piece_bytes=40).message(2)))
    assert bench.run_on(10, lambda: said(collector, "receiving")) == ["stop"]
    assert states(collector)[-1] == "receiving 2 of 4: piece 2: expected one of this offer, got another"
    bench.publish(Retained(piece_topic(NODE, 2), parcel.message(2)))
    assert bench.settle(collector, parcel) == ["reset", "stop"]
    assert states(collector)[-1] == "confirmed 4 of 4"


def test_an_offer_withdrawn_changes_nothing(bench, collector):
    parcel = parcel_of("model", NEW)
    bench.offer(parcel)
    assert bench.settle(collector, parcel) == ["reset", "stop"]
    bench.withdraw(parcel)
    assert bench.run_on(10, lambda: '"confirmed","have":0' in str(collector.messages[-3:])) == ["stop"]
    assert states(collector)[-1] == "confirmed 0 of 0" and bench.runs() == "dry below 500"


def test_records_are_sent_again_from_where_somebody_asks(bench, collector):
    bench.publish(Retained(f"dibble/{NODE}/in/resend", b"2"))
    bench.run_on(10, lambda: any(b'{"seq":3,' in payload for _, payload, _ in list(collector.messages)))
    sent = [state["seq"] for state in told(collector, "state")]
    again = sent.index(2)
    assert again and sent[again:] == list(range(2, 2 + len(sent) - again)) and len(sent) - again >= 2
