"""The model `four_words`: left, right, stop and yes by anybody, out of Google's Speech Commands.

python -m dibble_tools.demo.words_model FOLDER [OUT]

FOLDER has a folder a word, as the data set comes; half of the clips of all other words are what nothing is done about.
"""

import sys
from dataclasses import replace
from pathlib import Path

from dibble_tools.common.terminal import Console
from dibble_tools.data.sound.clips import Clips, read_clips
from dibble_tools.model.limits import Limits
from dibble_tools.report.tables import sound_tables
from dibble_tools.training.result import Clock, Trained
from dibble_tools.training.sound_options import SoundOptions
from dibble_tools.training.sound_stream import StreamTraining

WORDS = ("left", "right", "stop", "yes")
QUIET, OTHER = "_silence_", "_other_"
LICENCE = (
    "trained on recordings of Google's Speech Commands v0.02 (Pete Warden, 2018, arXiv:1804.03209), licensed CC BY 4.0 "
    "(https://creativecommons.org/licenses/by/4.0/); none of them is in the model"
)
OPTIONS = SoundOptions(family="stream", limits=Limits(max_bytes=5000), rounds=700, name="four_words")


def four_words(clips: Clips) -> Clips:
    """Return the clips of the four words, of silence, and each second one of the others, as one class."""
    kept = [clip for clip in clips.clips if clip.label in (*WORDS, QUIET)]
    others = [replace(clip, label=OTHER) for clip in clips.clips if clip.label not in (*WORDS, QUIET)]
    return replace(clips, clips=kept + others[::2])


def train(folder: Path) -> Trained:
    """Return the model of a folder of words."""
    clips = four_words(read_clips(folder, OPTIONS.rate_hz))
    made = StreamTraining(clips, OPTIONS, Clock(OPTIONS.budget_s), lambda step, share: None).run()
    made.card["data"]["licence"] = LICENCE
    return made


if __name__ == "__main__":
    made = train(Path(sys.argv[1]))
    made.save(Path(sys.argv[2] if len(sys.argv) > 2 else "models/four_words"))
    Console().print(*sound_tables(made.card))
