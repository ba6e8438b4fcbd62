"""How well frames are known: pictures of a folder, drawn thermal scenes, a small array beside the other families.

    python tests/benchmarks/sight_accuracy.py pictures FOLDER --classes animal=bird,cat,… machine=car,… [--seeds 0,1]
    python tests/benchmarks/sight_accuracy.py scenes [--seeds 0,1,2]
    python tests/benchmarks/sight_accuracy.py array FRAMES.npz [--held GROUP,GROUP …]
    python tests/benchmarks/sight_accuracy.py taken vww_96_int8.tflite PHOTOGRAPHS

FOLDER has train/ and test/, each with a folder of pictures for each class, as CIFAR-10 often comes; they become grey.
FRAMES.npz has frames (rows, height, width), labels and groups. Each line is a training as `dibble train` does it, whose
budget is of the processor's time, so that a busy computer changes little; frames held out were seen by nothing that
chose or fitted. Instructions are those of the kernels in assembler on an emulated Cortex-M0. PHOTOGRAPHS is a folder of
JPEG: each as a whole, and nine crops of it, are decided by a network taken over and by the original.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from dibble_tools.bench.maps import on_cortex_m0
from dibble_tools.data.prepare import DataOptions
from dibble_tools.model.convert_network import convert_network, read_network
from dibble_tools.model.host_model import HostModel
from dibble_tools.model.limits import Limits
from dibble_tools.training.images import ImageOptions, train_images
from dibble_tools.training.result import Clock, Trained, TrainOptions
from dibble_tools.training.train import train
from PIL import Image

sys.path.append(str(Path(__file__).parents[1] / "host/support"))
from scenes import thermal_scenes

PARTS = 10  # groups of a training set whose pictures have nothing to do with each other
BLOCKS = 4  # each way, of which a node tells the most, where its configuration says "blocks"
CROPS = 9  # of a photograph
FRESH = 40  # recordings that are drawn to judge


def trained_on(path: Path, **options: object) -> Trained:
    """Return a network fitted to frames within its budget of the processor's time."""
    asked = ImageOptions(**options)  # type: ignore[arg-type]
    return train_images(path, asked, clock=Clock(asked.budget_s, time.process_time))[0]


def told(made: Trained) -> str:
    """Return what a model takes, and how often it is right on what was held out."""
    card, held = made.card["model"], made.card["held_out"]["integer_model"]
    return f"{held['accuracy']:.2%} of {held['rows']:,}, {card['bytes']:,} B ({card.get('recipe', card['family'])})"


def instructions(model: HostModel, frame: np.ndarray) -> int:
    """Return what the kernels take on a Cortex-M0 for a frame of readings."""
    return sum(step.instructions for step in on_cortex_m0(model, frame.reshape(-1).astype(np.int64), "thumb"))


def pictures(arguments: argparse.Namespace) -> None:
    """Print a line for each seed: trained on train/, judged on test/."""
    kinds = {kind: names.split(",") for kind, names in (entry.split("=") for entry in arguments.classes)}
    frames, labels, groups = [], [], []
    for part in ("train", "test"):
        for kind, names in kinds.items():
            for name in names:
                for i, file in enumerate(sorted((arguments.folder / part / name).iterdir())):
                    frames.append(np.asarray(Image.open(file).convert("L")))
                    labels.append(kind)
                    groups.append("test" if part == "test" else f"part {i % PARTS}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pictures.npz"
        np.savez(path, frames=np.stack(frames), labels=labels, groups=groups)
        for seed in arguments.seeds:
            limits = Limits(max_bytes=arguments.bytes)
            made = trained_on(path, limits=limits, budget_s=arguments.budget, seed=seed, test_groups=("test",))
            print(f"seed {seed}: {told(made)}; {instructions(made.model, frames[-1]):,} instructions", flush=True)


def scenes(arguments: argparse.Namespace) -> None:
    """Print a line for each seed: trained on 12 recordings, judged on recordings drawn by another seed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scenes.npz"
        for seed in arguments.seeds:
            frames, labels, groups = thermal_scenes(seed + 1, 12, 30)
            np.savez(path, frames=frames.astype(np.int16), labels=labels, groups=groups)
            made = trained_on(path, limits=Limits(max_bytes=arguments.bytes), budget_s=arguments.budget, seed=seed)
            frames, labels, _ = thermal_scenes(99 + seed, FRESH, 20)
            decided = made.model.decide(frames.reshape(len(frames), -1)).class_index
            right = float(np.mean(np.array(made.model.classes)[decided] == np.array(labels)))
            count = instructions(made.model, frames[0])
            print(
                f"seed {seed}: {told(made)}; {right:.2%} of {FRESH} more recordings; {count:,} instructions", flush=True
            )


def array(arguments: argparse.Namespace) -> None:
    """Print, for groups held out, the network beside others: on pixels, means of rows and columns, blocks."""
    loaded = np.load(arguments.frames)
    frames, labels, groups = (loaded[name] for name in ("frames", "labels", "groups"))
    means = np.concatenate([frames.mean(axis=1), frames.mean(axis=2)], axis=1).round(3)
    parts = [np.array_split(part, BLOCKS, axis=2) for part in np.array_split(frames, BLOCKS, axis=1)]
    blocks = np.stack([one.max(axis=(1, 2)) for part in parts for one in part], axis=1)
    limits = Limits(max_bytes=arguments.bytes)
    with tempfile.TemporaryDirectory() as folder:
        tables = {"pixels": frames.reshape(len(frames), -1), "means of rows and columns": means, "blocks": blocks}
        for name, values in tables.items():
            head = [*(f"v{i}" for i in range(values.shape[1])), "label", "group"]
            rows = [
                ",".join(map(str, [*row, *rest])) for *rest, row in zip(labels, groups, values.tolist(), strict=True)
            ]
            (Path(folder) / f"{name}.csv").write_text("\n".join([",".join(head), *rows]) + "\n")
        for held in arguments.held or [[name] for name in dict.fromkeys(groups.tolist())]:
            made = trained_on(arguments.frames, limits=limits, budget_s=arguments.budget, test_groups=held)
            print(f"{', '.join(held)}, network: {told(made)}", flush=True)
            for name in tables:
                data = DataOptions("label", group="group", test_groups=held)
                asked = TrainOptions(data, limits=limits, budget_s=arguments.budget, jobs=1)
                print(f"{', '.join(held)}, {name}: {told(train(Path(folder) / f'{name}.csv', asked))}", flush=True)


def taken(arguments: argparse.Namespace) -> None:
    """Print how often a network taken over, on half of the photographs, decides the other half as the original."""
    network = read_network(arguments.network)
    height, width, _ = network.maps[0].shape
    rng = np.random.default_rng(0)
    crops, photographs = [], []
    for i, file in enumerate(sorted(arguments.photographs.glob("*.jpg"))):
        image = Image.open(file).convert("RGB")
        boxes = [(0, 0, *image.size)]
        for _ in range(CROPS):
            side = int(rng.uniform(0.45, 1) * min(image.size))
            left, top = (int(rng.integers(0, end - side + 1)) for end in image.size)
            boxes.append((left, top, left + side, top + side))
        small = [image.crop(box).resize((width, height), Image.Resampling.BILINEAR) for box in boxes]
        crops += [np.asarray(one) for one in small]
        photographs += [i] * len(boxes)
    frames = np.stack(crops)
    original = network.decide(frames.astype(np.int64))
    for half in (0, 1):
        fitted = np.array(photographs) % 2 == half
        model = convert_network(arguments.network, frames[fitted])
        decided = model.decide(frames[~fitted].reshape(int((~fitted).sum()), -1)).class_index
        alike = float(np.mean(decided == original[~fitted]))
        print(f"half {half + 1}: {alike:.2%} of {len(decided):,} decided alike, {len(model.blob):,} B", flush=True)


def numbers(text: str) -> list[int]:
    """Return the whole numbers of a list with commas."""
    return [int(part) for part in text.split(",")]


def main() -> None:
    """Print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for work, size, seconds in ((pictures, 6144, 300.0), (scenes, 1024, 60.0), (array, 1024, 20.0)):
        own = commands.add_parser(work.__name__, help=work.__doc__)
        own.set_defaults(work=work)
        own.add_argument("--bytes", type=int, default=size)
        own.add_argument("--budget", type=float, default=seconds, help="seconds")
        own.add_argument("--seeds", type=numbers, default=[0])
        if work is pictures:
            own.add_argument("folder", type=Path)
            own.add_argument("--classes", nargs="+", required=True)
        if work is array:
            own.add_argument("frames", type=Path)
            own.add_argument("--held", type=lambda text: text.split(","), nargs="+")
    own = commands.add_parser("taken", help=taken.__doc__)
    own.set_defaults(work=taken)
    own.add_argument("network", type=Path)
    own.add_argument("photographs", type=Path)
    arguments = parser.parse_args()
    arguments.work(arguments)


if __name__ == "__main__":
    main()
