"""Heater scans are read by other sensors than those that were trained on, whose levels lie octaves apart.

In public recordings by boards with eight BME688 or BME690, levels in the same air differ with a standard deviation of
0.1 to 1.4 octaves, one factor for all steps, and each step by 0.05 to 0.4 octave besides.
"""

from collections.abc import Sequence
from dataclasses import replace

from dibble_tools.data.column_channels import parse_channel_option
from dibble_tools.data.feature_spec import offsets_of
from dibble_tools.data.heater_scans.table import CEILING_OHM, FLOOR_OHM
from dibble_tools.data.prepare import Prepared
from dibble_tools.training.ratio_pools import steps_of

MARGIN = 4  # two octaves: what a step may lie beyond the readings of training, up or down


def with_margins(data: Prepared, options: Sequence[str]) -> Prepared:
    """Return scans whose steps have wider ranges than the training rows; anything else as it is.

    A reading is clamped to its channel's range before ratios are made of it: at the ends of another sensor's readings
    each ratio of a scan that lies beside them would be wrong. A single step's code, or a tree's threshold, ends
    where the training rows do, and what is beyond the margin is still told as out of range.

    Args:
        options: of --channel: a range that the user gave stays.
    """
    given = {option.name for option in map(parse_channel_option, options) if option.low is not None}
    steps = [] if data.features or data.stand_ins else steps_of(data.channels)
    wider = [i for i in steps if data.channels[i].name not in given]
    if not wider:
        return data
    channels = [*data.channels]
    for i in wider:
        low, high = channels[i].low, channels[i].high
        # The ends are the converter's own: nothing is read beyond, by sensors that have this one.
        low, high = max(low // MARGIN, min(low, FLOOR_OHM)), min(high * MARGIN, max(high, CEILING_OHM))
        channels[i] = replace(channels[i], low=low, high=high)
    return replace(data, channels=channels, values=offsets_of(data.readings, channels))
