"""`dibble train --sound`: a folder of clips -> a model of single sounds or of a stream, as asked or as does better."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from dibble_tools.common.errors import InputError
from dibble_tools.data.sound.clips import Clips, read_clips
from dibble_tools.training.result import Clock, Progress, Trained
from dibble_tools.training.single_sounds import SingleSounds
from dibble_tools.training.sound_options import MLP, STREAM, SoundOptions
from dibble_tools.training.sound_stream import StreamTraining
from dibble_tools.training.sound_teacher import soft_labels

COMPARED_CLIPS = 150  # from here on both families are tried
COMPARED_MOST, COMPARED_SHARE = 700, 0.12  # clips of a trial, and its part of the budget


def _family(options: SoundOptions, clips: Clips) -> str:
    """Return what the model will be: mlp, on single sounds; stream, a network over the stream; auto: either.

    Raises:
        InputError: there is no such family for sounds, or what is asked for doesn't go together.
    """
    if options.family not in ("auto", MLP, STREAM):
        raise InputError(f"--family: expected auto, {MLP} or {STREAM} with --sound, got {options.family!r}")
    if options.own and options.family == STREAM:
        raise InputError("--own: expected single sounds, which few takes are enough for; got --family stream")
    if options.teacher is not None and (options.own or options.family == MLP):
        raise InputError("--teacher: expected --family stream: a network on single sounds learns from labels alone")
    if options.teacher is not None:
        return STREAM
    few = len(clips.clips) < COMPARED_CLIPS
    return MLP if options.own or (options.family == "auto" and few) else options.family


def better_family(clips: Clips, options: SoundOptions, progress: Progress) -> tuple[str, str]:
    """Return the family that knows more of the training clips of people not heard, and a note with both figures.

    Both are trained on some of the training clips with a part of the budget, and judged on others of these: those that
    judge the model have no say in it.
    """
    training = StreamTraining(clips, replace(options, family=STREAM), Clock(options.budget_s), progress)
    kept = np.flatnonzero(training.split.train)
    groups = np.array([clips.clips[i].group for i in kept])
    names = np.random.default_rng(options.seed).permutation(np.unique(groups))
    place = {name: i for i, name in enumerate(names.tolist())}
    order = np.argsort([place[group] for group in groups.tolist()], kind="stable")[:COMPARED_MOST]
    some = replace(clips, clips=[clips.clips[i] for i in np.sort(kept[order])], notes=[])
    found: dict[str, float] = {}
    for family in (MLP, STREAM):
        progress(f"comparing families on some of the training clips: {family}", 0.0)
        own = replace(
            options, family=family, test_groups=(), refit=False, budget_s=COMPARED_SHARE * options.budget_s, rounds=None
        )
        try:
            trained = _fitted(some, own, Clock(own.budget_s), lambda step, share: None, None)
        except InputError:  # no room for it, or too few clips of a class to be judged
            continue
        found[family] = trained.card["held_out"]["integer_model"]["accuracy"]
    if not found:
        return MLP, ""
    best = max(found, key=lambda family: found[family])
    told = ", ".join(f"{family} {100 * right:.1f} %" for family, right in found.items())
    return best, f"--family {best}: of training clips left out in a short trial it knew most ({told})"


def _fitted(clips: Clips, options: SoundOptions, clock: Clock, progress: Progress, soft: np.ndarray | None) -> Trained:
    if options.family == STREAM:
        return StreamTraining(clips, options, clock, progress, soft).run()
    progress("listening to the clips and to copies of them", clock.used())
    return SingleSounds(clips, options.sense(clips.rate_hz), options, clock, progress).run()


def train_sound(
    folder: Path,
    options: SoundOptions,
    progress: Progress = lambda step, share: None,
    clock: Clock | None = None,
) -> Trained:
    """Return a model trained on a folder of clips, with its card.

    Args:
        clock: of the budget; None: one that begins now.
    Raises:
        InputError: something in the folder or the options has to change.
    """
    clock = clock or Clock(options.budget_s)
    clips = read_clips(folder, options.rate_hz, options.speaker, lambda step: progress(step, 0.0))
    options = replace(options, family=_family(options, clips))
    if options.family == "auto":
        family, note = better_family(clips, options, progress)
        clips = replace(clips, notes=[*clips.notes, *filter(None, [note])])
        options = replace(options, family=family)
    soft = None if options.teacher is None else soft_labels(options.teacher, clips, progress)
    return _fitted(clips, options, clock, progress, soft)
