"""From class scores to a decision, and whether to trust it."""

UNSURE = 1
OUT_OF_RANGE = 2
SENSOR_FAULT = 4
NOVEL = 8
NO_CLASS = 255


class Decision:
    """What the node concluded; one object, overwritten by each prediction.

    Attributes:
        class_index: index into the model's classes; NO_CLASS when a reading is missing that nothing stands in for.
        margin: winner's score less the runner-up's, >= 0.
        flags: 0 when the decision can be trusted, else UNSURE | OUT_OF_RANGE | SENSOR_FAULT | NOVEL. With a class,
            SENSOR_FAULT alone says that something stands in for a missing reading, and that the decision counts.
        channel: the first channel that is missing or, if none is, out of range; -1 when all are well.
        held_index: the class after hysteresis: it changes only when `hysteresis` trusted decisions
            in a row agree, so that a valve doesn't chatter. NO_CLASS until the first time.
        agreed: trusted decisions in a row for a class that isn't held, 0 where it is the held one; below 0 where
            the last wasn't to be trusted.
    """

    def __init__(self, hysteresis):
        self.hysteresis = hysteresis
        self.reset()

    def reset(self):
        """Forget everything, as after power-on."""
        self.class_index = NO_CLASS
        self.margin = 0
        self.flags = 0
        self.channel = -1
        self.held_index = NO_CLASS
        self.candidate = NO_CLASS
        self.agreed = 0

    def settle(self, class_index, margin, flags, channel):
        """Record one prediction and advance the hysteresis."""
        self.class_index = class_index
        self.margin = margin
        self.flags = flags
        self.channel = channel
        if flags and (flags != SENSOR_FAULT or class_index == NO_CLASS):
            self.agreed = -1
        elif class_index == self.held_index:
            self.agreed = 0
        else:
            if class_index != self.candidate or self.agreed < 0:
                self.candidate = class_index
                self.agreed = 0
            self.agreed += 1
            if self.agreed >= self.hysteresis:
                self.held_index = class_index
                self.agreed = 0
        if flags and not self.agreed:
            self.agreed = -1  # the next row, without flags, changes more than the margin
