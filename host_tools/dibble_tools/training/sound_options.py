"""What `dibble train --sound` is asked for."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dibble.senses.frames import MOST_LOG2

from dibble_tools.data.sound.front_end import settings_for
from dibble_tools.data.sound.segments import SegmentSettings, SoundSettings
from dibble_tools.model.limits import Limits

FRAME_S = 0.032
MLP, STREAM = "mlp", "stream"
STREAM_HOP_S, STREAM_BANDS = 0.025, 20
LONG_S, LONG_HOP_S = 2.5, 0.04
SEGMENT_HOP_S, SEGMENT_BANDS = 0.016, 16


@dataclass(frozen=True)
class SoundOptions:
    """What `dibble train --sound` is asked for; its help text has the meaning of each."""

    rate_hz: int | None = None  # None: that of the recordings
    frame: int = 0  # samples; 0: of some 32 ms
    hop: int = 0
    bands: int = 0
    family: str = "auto"
    teacher: Path | None = None
    rounds: int | None = None  # through the clips, of a network over the stream; None: as many as there is time for
    gate: SegmentSettings = field(default_factory=SegmentSettings)
    speaker: str | None = None
    own: bool = False
    test_groups: Sequence[str] = ()
    limits: Limits = field(default_factory=lambda: Limits(max_bytes=2048))
    budget_s: float = 60.0
    sure: float = 0.6
    hysteresis: int | None = None
    refit: bool = True
    seed: int = 0
    name: str | None = None

    def sense(self, rate_hz: int, clip_s: float = 1.0) -> SoundSettings:
        """Return the sense that the model will have, unless it is a network over the stream: that has no gate.

        Args:
            rate_hz: of the node's microphone.
            clip_s: how long most clips are: where sounds go on for long, a network over the stream hears frames of
                twice the time, and longer hops.
        """
        hop_s, bands = (STREAM_HOP_S, STREAM_BANDS) if self.family == STREAM else (SEGMENT_HOP_S, SEGMENT_BANDS)
        frame = self.frame or 1 << min(round(math.log2(FRAME_S * rate_hz)), MOST_LOG2)
        if self.family == STREAM and clip_s >= LONG_S and not self.hop and 2 * frame <= 1 << MOST_LOG2:
            frame, hop_s = 2 * frame, LONG_HOP_S
        hop = self.hop or min(round(hop_s * rate_hz), frame)
        return SoundSettings(settings_for(rate_hz, frame, hop, self.bands or bands), self.gate)
