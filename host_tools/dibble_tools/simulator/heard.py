"""What a node that listens told in a simulation: how often each stage worked, what became of sounds, when it acted."""

from collections import Counter
from dataclasses import dataclass

from dibble.senses.counts import ACTED, CHANNELS, ENDS, LOST, SKIPPED

from dibble_tools.simulator.season import Season


@dataclass(frozen=True)
class SoundTally:
    """What came of all sounds.

    Attributes:
        seconds: of the recording.
        hops, frames, sounds: how many hops it took, made frames of, and on how many sounds, or hops, it decided.
        stopped: of these by voice.dib.
        ends: what became of the sounds that it told since the recording began -> how many.
        alarms: (seconds of the recording, class and margin) of those that it acted on, to a second.
        lost: samples, by its records.
    """

    seconds: float
    hops: int
    frames: int
    sounds: int
    stopped: int
    ends: Counter[str]
    alarms: list[tuple[float, str]]
    lost: int

    @property
    def alarms_an_hour(self) -> float:
        return len(self.alarms) * 3600 / max(1.0, self.seconds)


def heard_in(season: Season, start_s: float, seconds: float, *, each_hop: bool) -> SoundTally:
    """Return what a season's node told.

    Args:
        start_s: when the recording began, in the events' time; seconds: how long it is.
        each_hop: its model decides at each hop, not on single sounds.
    """
    frames, looks, decisions = season.worked
    ends: Counter[str] = Counter()
    alarms: list[tuple[float, str]] = []
    for at_s, event in season.events:
        if event.kind != "sound" or at_s < start_s:
            continue
        end = next((end for end in ENDS.values() if event.text.endswith(f": {end}")), event.text)
        ends[end] += 1
        if end == ENDS[ACTED]:
            alarms.append((at_s - start_s, event.text.removesuffix(f": {end}")))
    lost = sum(moment.line.readings.get(CHANNELS[LOST][0]) or 0 for moment in season.moments)
    sounds = frames if each_hop else decisions
    return SoundTally(seconds, max(looks, frames), frames, sounds, ends[ENDS[SKIPPED]], ends, alarms, lost)
