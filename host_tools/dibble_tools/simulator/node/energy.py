"""What a node's season costs in charge: currents times times, each on an account of its own."""

from dataclasses import dataclass, field

SETTLE_MS = 20  # of the processor for a cycle beside its waits and the prediction


@dataclass
class Energy:
    """Accounts in microcoulombs.

    Attributes:
        used_uc: account -> charge.
    """

    used_uc: dict[str, float] = field(default_factory=dict)

    def add(self, account: str, charge_uc: float) -> None:
        self.used_uc[account] = self.used_uc.get(account, 0.0) + charge_uc

    @property
    def total_mah(self) -> float:
        return sum(self.used_uc.values()) / 3.6e6

    def mah(self) -> dict[str, float]:
        """Return each account in mAh, the largest first."""
        return {name: uc / 3.6e6 for name, uc in sorted(self.used_uc.items(), key=lambda item: -item[1])}


@dataclass(frozen=True)
class Battery:
    """A lithium cell whose voltage falls as it empties: straight from full to flat, a rough picture.

    Attributes:
        capacity_mah: usable.
    """

    capacity_mah: float = 2500.0
    full_v: float = 4.15
    flat_v: float = 3.35

    def volts(self, used_mah: float) -> float:
        left = max(0.0, 1 - used_mah / self.capacity_mah)
        return self.flat_v + (self.full_v - self.flat_v) * left
