"""How many downlinks an update by LoRaWAN takes with a fifth of all messages lost, beside the fewest that could do.

    python tests/benchmarks/lorawan_downlinks.py [--trials N] [--nodes N]

A class A node hears one downlink after each uplink; both get lost. The host sends as `dibble downlinks --answer` does:
what the last answer that it heard lacks, each once, then sums. What arrives is counted by linear algebra over
GF(2), as the node's assembler has it (tests/host/radio/test_update_by_lorawan.py runs that itself). The fewest: pieces
and offer have to arrive at all, whatever the code: a binomial count.

--nodes: so many whole nodes on real VMs beside that, each of which takes a packed forest of 604 bytes from a network
that loses a fifth each way, with a modem that keeps the European band's 1 % at spreading factor 12
(tests/host/support/lorawan_network.py), and confirms it.
"""

import argparse
import itertools
import math
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "host" / "support"))

from dibble.update.sums import chosen
from dibble_tools.radio.lorawan import PIECE_BYTES
from dibble_tools.radio.parcel import parcel_of
from lorawan_network import LorawanBench, firmware_with_modem
from node_helpers import forest_model

LOSS = 0.2
MOST = 20
SIGNATURE_BYTES = 41
CASES = (("a forest of 604 bytes, packed, signed", 454), ("606 bytes that don't pack", 606), ("the same, signed", 647))


class Basis:
    """What arrived, as rows over GF(2) in echelon form."""

    def __init__(self) -> None:
        self.rows: dict[int, int] = {}

    def add(self, mask: int) -> None:
        while mask:
            top = mask.bit_length()
            if top not in self.rows:
                self.rows[top] = mask
                return
            mask ^= self.rows[top]


def trial(count: int, chance: random.Random) -> int:
    """Return how many downlinks one update took."""
    basis, pieces = Basis(), 0  # all that arrived; of it the pieces that came as themselves
    offered = False
    heard: list[int] | None = None  # missing, by the last answer that came; None: it knows no offer
    sent: set[int] = set()  # since then
    turns = itertools.count()
    for downlinks in itertools.count(1):
        if chance.random() >= LOSS:
            heard = [i for i in range(count) if not pieces >> (count - 1 - i) & 1] if offered else None
            sent = set()
        missing = range(count) if heard is None else heard
        wanted = [i for i in ([-1] if heard is None else []) + list(missing) if i not in sent]
        if wanted:
            number = wanted[0]
            sent.add(number)
            mask = 1 << (count - 1 - number) if number >= 0 else 0
        else:
            mask = int.from_bytes(chosen(count + next(turns), count), "big") >> (-count & 7)
        if chance.random() >= LOSS:
            if not mask:
                offered = True
            elif offered:
                basis.add(mask)
                pieces = solved(basis, count)
                if len(basis.rows) == count:
                    return downlinks
    raise AssertionError


def solved(basis: Basis, count: int) -> int:
    """Return the pieces that are known by themselves, a bit each."""
    found = 0
    rows = [basis.rows[top] for top in sorted(basis.rows)]
    for i, row in enumerate(rows):  # reduced: each leading bit in one row only
        for other in rows[:i]:
            if row >> (other.bit_length() - 1) & 1:
                row ^= other
        rows[i] = row
        if row & row - 1 == 0:
            found |= row
    return found


def at_best(needed: int) -> float:
    """Return how often MOST downlinks bring so many, whatever the code."""
    return sum(math.comb(MOST, k) * (1 - LOSS) ** k * LOSS ** (MOST - k) for k in range(needed, MOST + 1))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--trials", type=int, default=3000)
    options.add_argument("--nodes", type=int, default=0)
    given = options.parse_args()
    trials = given.trials
    for name, size in CASES:
        count = -(-size // PIECE_BYTES)
        taken = sorted(trial(count, random.Random(seed)) for seed in range(trials))
        share = sum(each <= MOST for each in taken) / trials
        print(
            f"{name}: {count} pieces and the offer; median {taken[trials // 2]}, mean {sum(taken) / trials:.1f} "
            f"(at best {(count + 1) / (1 - LOSS):.1f}), {MOST} are enough in {100 * share:.1f} % "
            f"(at best {100 * at_best(count + 1):.1f})"
        )
    if given.nodes:
        whole_nodes(given.nodes)


def whole_nodes(count: int) -> None:
    """Print how many downlinks whole nodes took, and how long."""
    taken, hours = [], []
    parcel = parcel_of("model", forest_model(33, 1), piece_bytes=PIECE_BYTES)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        firmware = firmware_with_modem(folder / "firmware")
        for seed in range(count):
            (folder / str(seed)).mkdir()
            bench = LorawanBench(firmware, folder / str(seed))
            bench.modem.chance.seed(seed)
            bench.run(30)
            started_s = bench.now_s()
            bench.bring(parcel)
            assert bench.server.states == ["receiving", "tried", "confirmed"] and bench.runs() == "forest 33"
            assert bench.modem.air_us < 0.01 * bench.hardware.now_us
            taken.append(bench.server.sent)
            hours.append((bench.now_s() - started_s) / 3600)
    enough = sum(each <= MOST for each in taken)
    print(
        f"{count} whole nodes, {parcel.count} pieces and the offer: mean {sum(taken) / count:.1f} downlinks, at most "
        f"{max(taken)}, {MOST} were enough in {enough}; {sum(hours) / count:.1f} h on average to the confirmation"
    )


if __name__ == "__main__":
    main()
