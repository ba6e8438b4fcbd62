"""How well sounds are known: Speech Commands, four words, one's own voice, ESC-10; by people and recordings not heard.

    python tests/benchmarks/sound_accuracy.py words SPEECH_COMMANDS [--teacher kws.tflite] [--bytes 2500,5000,8500]
    python tests/benchmarks/sound_accuracy.py four SPEECH_COMMANDS [MODEL]
    python tests/benchmarks/sound_accuracy.py streams SPEECH_COMMANDS [MODEL] [--beside ESC10] [--hours 3]
    python tests/benchmarks/sound_accuracy.py own SPEECH_COMMANDS [--speakers 13]
    python tests/benchmarks/sound_accuracy.py esc10 ESC10 [--folds 1,2,3,4]

SPEECH_COMMANDS and ESC10 are folders of clips, a folder a class. Each is trained as `dibble train --sound` does, with a
number of rounds instead of a budget, so that a busy computer changes nothing; seconds are those of the processor.
Speakers (folds of ESC-10, takes of one's own voice) that a line is about were heard by nothing that chose or fitted.
"""

import argparse
import time
from copy import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
from dibble_tools.data.sound.augment import coloured
from dibble_tools.data.sound.clips import Clip, read_clips
from dibble_tools.demo.words_model import four_words
from dibble_tools.model.hearing import ACTS, hear
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.limits import Limits
from dibble_tools.training.result import Clock
from dibble_tools.training.sound import SingleSounds
from dibble_tools.training.sound_errors import hourly
from dibble_tools.training.sound_options import MLP, STREAM, SoundOptions
from dibble_tools.training.sound_stream import StreamTraining, judge_stream
from dibble_tools.training.sound_teacher import soft_labels

RATE_HZ = 16_000
ROUNDS = 600
OWN_BYTES, OWN_TAKES, OWN_WORDS, OWN_BUDGET_S = 2048, 4, 10, 6.0
ALARMS = 0.02
BLOCK_S, LATE_S = 10, 0.7
BESIDE_SHARE = 0.5  # of the blocks; the others are noise that was made up
FLOOR_DB, WORD_DB = (-70.0, -45.0), (-35.0, -20.0)  # below full scale
MOST_GAIN = 4.0
STREAMS = 3  # orders of the clips held out that a figure is the mean of


def quiet(step: str, share: float) -> None:
    """Tell nothing of a training's progress."""


def words(arguments: argparse.Namespace) -> None:
    """Print a line for each size: 12 classes, int8 and float, at rest and in noise."""
    clips = read_clips(arguments.folder, RATE_HZ)
    soft = soft_labels(arguments.teacher, clips, quiet) if arguments.teacher else None
    print(f"{'limit':>6} {'bytes':>6} {'int8':>6} {'float':>6} {'20 dB':>6} {'10 dB':>6} {'5 dB':>6}   rounds, seconds")
    rows = None
    for most in map(int, arguments.bytes.split(",")):
        options = SoundOptions(
            family=STREAM, limits=Limits(max_bytes=most), rounds=arguments.rounds, seed=arguments.seed
        )
        begin = time.process_time()
        training = StreamTraining(clips, options, Clock(options.budget_s), quiet, soft)
        rows = rows or training.listen()
        card = training.run(rows).card
        held_out, noise = card["held_out"], card["sound"]["noise"]
        shares = [held_out["integer_model"]["accuracy"], held_out["float_network"]["accuracy"]]
        cells = " ".join(f"{100 * share:6.1f}" for share in [*shares, *(row["right"] for row in noise)])
        seconds = time.process_time() - begin
        print(f"{most:6} {card['model']['bytes']:6} {cells}   {arguments.rounds}, {seconds:.0f} s", flush=True)


def four(arguments: argparse.Namespace) -> None:
    """Print what a model of four words does on clips held out, where at most 2 % of the other clips are acted on."""
    clips = four_words(read_clips(arguments.folder, RATE_HZ))
    model = HostModel.open(arguments.model)
    training = StreamTraining(clips, SoundOptions(family=STREAM), Clock(60.0), quiet)
    idle = np.array([name.startswith("_") for name in clips.classes])
    for decibels in (None, 20, 10, 5):
        rights, alarms, all_right = [], [], []
        for order in range(STREAMS):
            rng = np.random.default_rng(order)
            own = rng.permutation(training.held)
            samples = [training.heard(int(i), decibels, rng) for i in own]
            judged = judge_stream(model, samples, training.y[own], rng)
            index, margin = judged.decisions.class_index, judged.decisions.margin
            others = idle[judged.y]
            acts = ~np.append(idle, True)[np.minimum(index, len(idle))]
            level = np.sort(np.where(acts & others, margin, -1)[others])[-1 - int(ALARMS * others.sum())] + 1
            done = acts & (margin >= level)
            rights.append(float((done & judged.correct)[~others].mean()))
            alarms.append(float(done[others].mean()))
            all_right.append(float(judged.correct.mean()))
        where = "at rest" if decibels is None else f"{decibels} dB"
        print(
            f"{where:8} {100 * np.mean(all_right):5.1f} % right; commands {100 * np.mean(rights):5.1f} % at "
            f"{100 * np.mean(alarms):.1f} % false alarms"
        )


def streams(arguments: argparse.Namespace) -> None:
    """Print false alarms an hour and commands acted on, of a stream composed of speakers and sounds never heard."""
    clips = four_words(read_clips(arguments.folder, RATE_HZ))
    beside = [clip.samples for clip in read_clips(arguments.beside, RATE_HZ).clips] if arguments.beside else []
    model = HostModel.open(arguments.model)
    held = StreamTraining(clips, SoundOptions(family=STREAM), Clock(60.0), quiet).held
    samples, spoken = composed([clips.clips[i] for i in held], beside, arguments.hours, np.random.default_rng(7))
    hours = len(samples) / RATE_HZ / 3600
    count = len(spoken)
    print(f"{hours:.2f} h: {count} commands, {3600 / BLOCK_S:.0f} other words an hour; a line for each margin")
    own = model.content.unsure_below
    for margin in sorted({own, *(round(own * share) for share in (0.75, 1.25))}):
        asked = copy(model)
        asked.content = replace(model.content, unsure_below=margin)
        alarms, left = 0, list(spoken)
        for heard in hear(asked, samples):
            if heard.fate != ACTS:
                continue
            said = [one for one in left if one[0] <= heard.end_s <= one[1] + LATE_S and one[2] == heard.label]
            if said:
                left.remove(said[0])
            else:
                alarms += 1
        told = hourly(alarms, hours)
        low, high = told["interval"]
        mark = "*" if margin == own else " "
        print(
            f"margin {margin:5}{mark} {100 * (1 - len(left) / count):5.1f} % of commands acted on, "
            f"{told['an_hour']} false alarms an hour ({low} to {high}, 95 %)",
            flush=True,
        )


def composed(
    clips: list[Clip], beside: list[np.ndarray], hours: float, rng: np.random.Generator
) -> tuple[np.ndarray, list[tuple[float, float, str]]]:
    """Return a stream and its commands (begin, end in seconds, word).

    Each block of ten seconds is noise that was made up or a sound of `beside`, 45 to 70 dB below full scale; a word or
    silence that isn't a command somewhere in its first half, and in each third one a command in its second half, 20 to
    35 dB below full scale.
    """
    commands = [clip for clip in clips if not clip.label.startswith("_")]
    others = [clip for clip in clips if clip.label.startswith("_")]
    size = BLOCK_S * RATE_HZ
    blocks, spoken = [], []
    for i in range(round(hours * 3600 / BLOCK_S)):
        floor = coloured(size, rng)
        if beside and rng.random() < BESIDE_SHARE:
            floor = np.resize(beside[int(rng.integers(len(beside)))].astype(float), size)
        loudest = np.sqrt(np.mean(floor**2)) + 1e-9
        block = floor * (32768 / loudest * 10 ** (rng.uniform(*FLOOR_DB) / 20))
        for clip, first in (
            (others[int(rng.integers(len(others)))], 0),
            (commands[int(rng.integers(len(commands)))], 1),
        ):
            if first and i % 3:
                continue
            at = int(rng.integers(size // 2 - len(clip.samples))) + first * size // 2
            level = 10 ** (rng.uniform(*WORD_DB) / 20) * 32768 / (np.sqrt(np.mean(clip.samples.astype(float) ** 2)) + 1)
            block[at : at + len(clip.samples)] += clip.samples * min(level, MOST_GAIN)
            if first:
                begin = i * BLOCK_S + at / RATE_HZ
                spoken.append((begin, begin + len(clip.samples) / RATE_HZ, clip.label))
        blocks.append(np.clip(np.rint(block), -32768, 32767).astype(np.int16))
    return np.concatenate(blocks), spoken


def own(arguments: argparse.Namespace) -> None:
    """Print how often takes of one voice left out are known: speakers with most takes of all ten words."""
    clips = read_clips(arguments.folder, RATE_HZ)
    spoken = [clip for clip in clips.clips if not clip.label.startswith("_")]
    takes: dict[str, dict[str, int]] = {}
    for clip in spoken:
        by = takes.setdefault(clip.group, {})
        by[clip.label] = by.get(clip.label, 0) + 1
    able = {who: by for who, by in takes.items() if len(by) == OWN_WORDS and min(by.values()) >= OWN_TAKES}
    chosen = sorted(able, key=lambda who: (-min(able[who].values()), who))[: arguments.speakers]
    found = []
    for who in chosen:
        begin = time.process_time()
        some = replace(clips, clips=[clip for clip in spoken if clip.group == who], name=who, background=[])
        options = SoundOptions(family=MLP, own=True, limits=Limits(max_bytes=OWN_BYTES), budget_s=OWN_BUDGET_S)
        clock = Clock(OWN_BUDGET_S, time.process_time)
        trained = SingleSounds(some, options.sense(clips.rate_hz), options, clock, quiet).run()
        right, size = trained.card["sound"]["right"], trained.card["model"]["bytes"]
        found.append(right)
        print(
            f"{who} {len(some.clips):3} clips {100 * right:5.1f} % {size} bytes, {trained.card['model']['recipe']}, "
            f"{time.process_time() - begin:.0f} s",
            flush=True,
        )
    print(f"mean of {len(found)} speakers {100 * np.mean(found):.1f} %, {100 * np.std(found):.1f} from one to another")


def esc10(arguments: argparse.Namespace) -> None:
    """Print a line for each fold held out, and the mean."""
    clips = read_clips(arguments.folder, RATE_HZ, r"^(\d)-")
    found = []
    for fold in arguments.folds.split(","):
        begin = time.process_time()
        most = int(arguments.bytes.split(",")[-1])
        options = SoundOptions(
            family=STREAM,
            limits=Limits(max_bytes=most),
            rounds=arguments.rounds,
            test_groups=(fold,),
            seed=arguments.seed,
        )
        card = StreamTraining(clips, options, Clock(options.budget_s), quiet).run().card
        right = card["held_out"]["integer_model"]["accuracy"], card["held_out"]["float_network"]["accuracy"]
        found.append(right)
        seconds = time.process_time() - begin
        print(
            f"fold {fold}: {100 * right[0]:.1f} % int8, {100 * right[1]:.1f} % float, {card['model']['bytes']} bytes, "
            f"{seconds:.0f} s",
            flush=True,
        )
    print("mean:", *(f"{100 * share:.1f} %" for share in np.mean(found, axis=0)))


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("words", "four", "streams", "own", "esc10"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("model", type=Path, nargs="?", default=Path("models/four_words"))
    parser.add_argument("--teacher", type=Path)
    parser.add_argument("--beside", type=Path)
    parser.add_argument("--hours", type=float, default=3.0)
    parser.add_argument("--bytes", default="2500,5000,8500,16000")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--speakers", type=int, default=13)
    parser.add_argument("--folds", default="1,2,3,4")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    {"words": words, "four": four, "streams": streams, "own": own, "esc10": esc10}[arguments.what](arguments)


if __name__ == "__main__":
    main()
