"""What a record tells of the sounds since the one before: readings like a sensor's, the last of a node that listens."""

CHANNELS = (
    ("sounds_count", "count"),  # single sounds
    ("sounds_skipped_count", "count"),  # of these: voice.dib was sure that they aren't worth a look
    ("sounds_unsure_count", "count"),  # the model didn't trust its decision, or its class isn't held yet
    ("sounds_other_count", "count"),  # of a class that begins with _, or so soon after one that acted that it rests
    ("hops_closed_permille", "permille"),  # of all hops: the gate was closed
    ("samples_lost_count", "count"),
)
SOUNDS, SKIPPED, UNSURE, OTHER, CLOSED, LOST = range(6)
RESTS, ACTED = 6, 7
ENDS = {  # what becomes of a sound, as its line tells it
    SKIPPED: "stopped by voice.dib",
    UNSURE: "unsure",
    OTHER: "nothing to act on",
    RESTS: "rests: too soon after the one before",
    ACTED: "acts",
}
