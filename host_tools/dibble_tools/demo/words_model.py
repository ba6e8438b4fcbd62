"""The model `four_words`: left, right, stop and yes by anybody, out of Google's Speech Commands.

python -m dibble_tools.demo.words_model FOLDER [OUT] [--teacher kws.tflite]

FOLDER has a folder a word, as the data set comes; half of the clips of all other words are what nothing is done about.
The teacher is MLPerf Tiny's keyword spotter: what it takes a clip for is learned, too.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from dibble_tools.common.terminal import Console
from dibble_tools.data.sound.clips import Clips, read_clips
from dibble_tools.model.limits import Limits
from dibble_tools.report.tables import sound_tables
from dibble_tools.training.result import Clock, Trained
from dibble_tools.training.sound_options import SoundOptions
from dibble_tools.training.sound_stream import StreamTraining
from dibble_tools.training.sound_teacher import soft_labels

WORDS = ("left", "right", "stop", "yes")
QUIET, OTHER = "_silence_", "_other_"
KEPT = (*WORDS, QUIET)
LICENCE = (
    "trained on recordings of Google's Speech Commands v0.02 (Pete Warden, 2018, arXiv:1804.03209), licensed CC BY 4.0 "
    "(https://creativecommons.org/licenses/by/4.0/); none of them is in the model"
)
TEACHER_LICENCE = (
    "; it learned the soft labels of MLPerf Tiny's keyword spotter too (github.com/mlcommons/tiny, Apache-2.0)"
)
OPTIONS = SoundOptions(family="stream", limits=Limits(max_bytes=5000), rounds=500, name="four_words")


def four_words(clips: Clips) -> Clips:
    """Return the clips of the four words, of silence, and each second one of the others, as one class."""
    return replace(
        clips, clips=[replace(clips.clips[i], label=_class_of(clips.clips[i].label)) for i in _chosen(clips)]
    )


def _chosen(clips: Clips) -> list[int]:
    kept = [i for i, clip in enumerate(clips.clips) if clip.label in KEPT]
    others = [i for i, clip in enumerate(clips.clips) if clip.label not in KEPT]
    return kept + others[::2]


def soft_labels_of(teacher: Path, clips: Clips) -> np.ndarray:
    """Return what the teacher takes each clip of `four_words(clips)` for: of other words all of theirs together."""
    soft = soft_labels(teacher, clips, lambda step, share: None)[_chosen(clips)]
    columns = [np.array([_class_of(name) == own for name in clips.classes]) for own in four_words(clips).classes]
    return np.stack([soft[:, column].sum(axis=1) for column in columns], axis=1)


def _class_of(name: str) -> str:
    return name if name in KEPT else OTHER


def train(folder: Path, teacher: Path | None = None) -> Trained:
    """Return the model of a folder of words."""
    whole = read_clips(folder, OPTIONS.rate_hz)
    soft = None if teacher is None else soft_labels_of(teacher, whole)
    clips = four_words(whole)
    made = StreamTraining(clips, OPTIONS, Clock(OPTIONS.budget_s), lambda step, share: None, soft).run()
    made.card["data"]["licence"] = LICENCE + (TEACHER_LICENCE if teacher is not None else "")
    return made


def main() -> None:
    """Train it, write it, and print how well it hears."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path, nargs="?", default=Path("models/four_words"))
    parser.add_argument("--teacher", type=Path, metavar="KWS.tflite")
    arguments = parser.parse_args()
    made = train(arguments.folder, arguments.teacher)
    made.save(arguments.out)
    Console().print(*sound_tables(made.card))


if __name__ == "__main__":
    main()
