"""A node that listens: a stream of samples beside its wake cycle, heard hop by hop whenever it would wait.

samples -> gate -> frames -> single sounds -> voice.dib: worth it? -> model.dib -> acts, or why not
"""

from dibble.drivers import driver
from dibble.inference.decision import NO_CLASS
from dibble.inference.kernels.choice import KIND
from dibble.senses.counts import ACTED, CLOSED, ENDS, LOST, OTHER, RESTS, SKIPPED, SOUNDS, UNSURE
from dibble.senses.gate import FLOOR_HOPS, Gate
from dibble.senses.listener import Listener
from dibble.senses.take import Take

MOST_AT_ONCE = 4  # hops, before whoever waits has his turn
MOST_KEPT = 4  # decisions that wait until the node has time to write them down
MOST_COUNT = 1 << 29


class Listening:
    """A stream and what hears it.

    Args:
        node: has port, sensors, worked() to be called after each hop, and heard(index) to be called at once with the
            class of a sound that is acted on.
        settings: config.listen, whole.
        model, before: the Model that decides, and the one that decides first; None: there is none.
        skip: class index of the latter.
    Attributes:
        kept: list of (class index, margin, ms, what became of it): sounds that wait to be written down, an index of
            ENDS last.
        in_time: frames are made as samples come; else a sound is heard when it has ended.
        rate_hz: samples a second.
        hop_ms: the time of a hop.
    Raises:
        ModelError: the models don't fit each other, or don't listen.
        ConfigError: the board can't have such a stream.
    """

    def __init__(self, node, settings, model, before, skip):
        self._node = node
        self._port = port = node.port
        self._names = model.classes
        self._driver = settings["driver"]
        self._each_hop = False
        self._acts = bytes([name[:1] != "_" for name in self._names])
        ear = Listener(model, before, skip)
        self.rate_hz = ear.rate_hz
        self.in_time = settings["in_time"] == "yes" or settings["in_time"] == "auto" and KIND != "bytecode"
        hop = len(ear.into)
        self.hop_ms = hop * 1000 // ear.rate_hz
        self._soon_ms = (self.hop_ms >> 2) + 1
        permille = settings["gate_permille"]
        if self.in_time:
            tail, most = ear.gone_on
            self._gate = Gate(permille, tail, most) if permille else None
            self._ear = ear
            self._each_hop = ear.each_hop
        else:
            self._gate = None
            self._ear = Take(ear, permille or settings["take_permille"], settings["take_ms"], node.worked)
        module = driver(settings["driver"], "dibble.streams.")
        self._waits = module.BLOCKS == port.KIND
        self._stream = module.build(settings, port, node.sensors.bus, ear.rate_hz, hop)
        self._rest_ms = settings["rest_ms"]
        self._left_ms = 0
        self._seen = self._heard_at = port.ticks_ms()
        self._behind_ms = 0
        self._started = self._hearing = False
        self._quiet = 0
        self._counts = [0] * 6
        self._hops = 0
        self._ever_lost = False
        self.kept = []

    def pump(self):
        """Hear what samples there are, a few hops at most; return the ms until there may be more."""
        if self._hearing:  # whoever is called from here waits itself
            return self.hop_ms
        self._hearing = True
        try:
            if not self._started:
                self._stream.start()
                self._started = True
            for _ in range(MOST_AT_ONCE):
                if not self._stream.readinto(self._ear.into):
                    self._behind_ms = 0  # else there would be a hop
                    return self._soon_ms
                self._hear()
                if self._waits:
                    break
                wait_ms = self._until_next()
                if wait_ms > 1:
                    return wait_ms
                self._node.worked()
            return 1
        finally:
            self._hearing = False

    def _until_next(self):
        """Return the ms until the next hop: a little less than one takes, as clocks aren't the same.

        Who is behind looks again as soon as what waits in a ring can have filled one.
        """
        port = self._port
        now = port.ticks_ms()
        hop_ms = self.hop_ms
        behind_ms = self._behind_ms + port.ticks_diff(now, self._heard_at) - hop_ms
        self._heard_at = now
        self._behind_ms = behind_ms if behind_ms > 0 else 0
        if behind_ms > self._soon_ms:
            return 1 if behind_ms > hop_ms else self._soon_ms
        return hop_ms - 1 if hop_ms > 1 else 1

    def _hear(self):
        ear = self._ear
        if self._hops < MOST_COUNT:
            self._hops += 1
        if self._left_ms:
            port = self._port
            now = port.ticks_ms()
            ms = port.ticks_diff(now, self._seen)
            self._seen = now
            if ms > 0:
                self._left_ms = self._left_ms - ms if self._left_ms > ms else 0
        if self._gate and not self._gate.opens(ear.into):
            self._count(CLOSED)
            self._quiet += 1
            if self._quiet % FLOOR_HOPS:
                ear.pass_over()
                return
        decision = ear.hear()
        if self._each_hop:
            # News is what is trusted and held, where its class acts and none did lately.
            if decision is None or self._left_ms or not self._acts[decision.class_index] or decision.flags:
                return
            if decision.held_index != decision.class_index:
                return
        elif not ear.rows:
            if not self.in_time and not ear.opened:
                self._count(CLOSED)
            return
        self._count(SOUNDS)
        end = ACTED
        if ear.skipped:
            end = SKIPPED
        elif decision.flags or decision.held_index != decision.class_index:
            end = UNSURE
        elif not self._acts[decision.class_index]:
            end = OTHER
        elif self._left_ms:
            end = RESTS
        if end == ACTED:
            self._left_ms = self._rest_ms
            self._seen = self._port.ticks_ms()
            self._node.heard(decision.class_index)
        else:
            self._count(OTHER if end == RESTS else end)
        if len(self.kept) < MOST_KEPT:
            shown = (NO_CLASS, 0) if ear.skipped else (decision.class_index, decision.margin)
            self.kept.append((shown[0], shown[1], ear.rows * self.hop_ms, end))

    def _count(self, which):
        if self._counts[which] < MOST_COUNT:
            self._counts[which] += 1

    def description(self):
        """Return what it listens to and how, as text."""
        how = "frames as samples come" if self.in_time else "a sound once it has ended"
        return "%s, %d samples a second, hops of %d ms; %s" % (self._driver, self.rate_hz, self.hop_ms, how)

    def text(self, index, margin, ms, end):
        """Return what became of a sound, as text: one of `kept`."""
        name = "" if index == NO_CLASS else "%s, margin %d, " % (self._names[index], margin)
        return "%s%d ms: %s" % (name, ms, ENDS[end])

    def acted(self, index, margin, ms, end):
        """Tell whether a sound is acted on: one of `kept`."""
        return end == ACTED

    def lost(self):
        """Return a text the first time that samples were lost, else ""; they are counted."""
        lost = self._stream.lost() if self._started else 0
        if not lost:
            return ""
        self._counts[LOST] = min(MOST_COUNT, self._counts[LOST] + lost)
        if self._ever_lost:
            return ""
        self._ever_lost = True
        return "%d samples were lost: the node was late; how many in all is in samples_lost_count" % lost

    def counts(self, values, first):
        """Write what counts.CHANNELS names to `values` from `first` on, and count anew."""
        counts = self._counts
        hops = max(1, self._hops)
        while hops >> 20:  # so that a thousand times as many stay within 31 bits
            hops >>= 1
            counts[CLOSED] >>= 1
        counts[CLOSED] = counts[CLOSED] * 1000 // hops
        for i in range(len(counts)):
            values[first + i] = counts[i]
            counts[i] = 0
        self._hops = 0
