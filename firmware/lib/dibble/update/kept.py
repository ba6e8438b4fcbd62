"""What became of the last offer that a node took up: models/UPDATES.md."""

from dibble.forgetting import forget
from dibble.inference.crc32 import crc32
from dibble.storage.slots import Slots
from dibble.storage.words import crc_bytes

KINDS = ("model.dib", "gate.dib", "config.json", "firmware")
CONFIG, FIRMWARE = 2, 3
RECEIVING, TRIED, CONFIRMED, REFUSED, ROLLED_BACK = range(5)  # what telling.STATES has the names of
OFFERED = 5  # waits for "install": is told, but not kept
HEAD_BYTES = 10  # before the reason
MOST_WHY = 150


class Kept:
    """What became of the offer that the node took up last; in the slots `update`.

    Attributes:
        state: RECEIVING to ROLLED_BACK, -1: there was none.
        crc, identity, kind, turn: of the offer.
        why: of a refusal.
    """

    def __init__(self):
        self._slots = Slots("update")
        kept = self._slots.newest()
        if kept is None or len(kept) < HEAD_BYTES or kept[9] > ROLLED_BACK:
            kept = bytes(9) + b"\xff"
        self.crc = kept[:4]
        self.identity = kept[4:8]
        self.kind = kept[8] & 3
        self.turn = kept[8] >> 4
        self.state = -1 if kept[9] == 0xFF else kept[9]
        self.why = kept[HEAD_BYTES:].decode()

    def take(self, offer):
        """Speak of this offer from now on."""
        self.crc = offer.crc
        self.identity = offer.identity
        self.kind = offer.kind
        self.turn = offer.turn

    def is_of(self, offer):
        """Tell whether something became of this offer."""
        return self.state >= 0 and self.crc == offer.crc and self.turn == offer.turn

    def write(self, state, why=""):
        """Keep a state.

        Raises:
            RecordError: it can't be written.
        """
        self.state = state
        self.why = why[:MOST_WHY]
        self._slots.write(self.crc + self.identity + bytes((self.turn << 4 | self.kind, state)) + self.why.encode())


def identity_of(node, kind):
    """Return the identity of what a node runs of a kind; None: nothing."""
    if kind == CONFIG:
        return crc_bytes(crc32(node.config_text, len(node.config_text)))
    if kind == FIRMWARE:
        from dibble.storage.manifest import identity

        found = identity()
        forget("dibble.storage.manifest")
        return found
    classifier = (node.classifier, node.gate)[kind]
    return classifier.identity if classifier else None
