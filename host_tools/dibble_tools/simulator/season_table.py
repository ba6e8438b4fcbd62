"""A season as a table for the terminal."""

from rich.table import Table

from dibble_tools.simulator.node.energy import Battery
from dibble_tools.simulator.season import Season
from dibble_tools.simulator.verdict import VERDICTS, Verdict

MEANS = {
    "right": "held the field's state",
    "late": "still held the state before, within two hours",
    "unsure": "said itself that it didn't know",
    "near": "wrong, but a sensor's error away from right",
    "wrong": "held another state, and was sure of it",
}
MOST_MISTAKES = 5


def season_table(season: Season, verdict: Verdict, days: float, board: str) -> Table:
    """Return a table of the season: held classes beside the truth, waterings, losses, charge."""
    table = Table(title=f"{len(season.moments):,} decisions in {days:g} days", title_justify="left")
    table.add_column("what")
    table.add_column("", justify="right")
    table.add_column("meaning")
    for name in VERDICTS if verdict.shares else ():
        table.add_row(name, f"{verdict.shares[name]:.1%}", MEANS[name])
        if name == "wrong":
            for state, held, share in verdict.mistaken[:MOST_MISTAKES]:
                table.add_row(f"  {held} for {state}", f"{share:.1%}", f"held while the field was {state}")
    for state, (moments, share) in verdict.by_state.items():
        table.add_row(f"{state} found", f"{share:.1%}", f"held in so many of its {moments:,} moments")
    hours = sum(watering.hours for watering in season.waterings)
    table.add_row("waterings", str(len(season.waterings)), f"{hours:.1f} h; {verdict.needless} of a wet soil")
    rows, missing = len(season.records.rows), season.records.missing_count()
    table.add_row(
        "records kept", f"{rows:,}", f"{verdict.lost} acknowledged ones lost, {missing} numbers never written"
    )
    restarts = ", ".join(f"{count} {name}" for name, count in verdict.restarts.items()) or "none"
    table.add_row("restarts", str(len(season.lives) - 1), restarts)
    table.add_row("errors", str(verdict.errors), "uncaught exceptions and failed cycles")
    if season.fault_episodes:
        table.add_row("faults", "", ", ".join(f"{n} {name}" for name, n in season.fault_episodes.items()))
    for name, mah in season.energy.mah().items():
        table.add_row(f"mAh: {name}", f"{mah:.1f}", f"{mah / days:.2f} a day")
    total = season.energy.total_mah
    cell = Battery().capacity_mah
    table.add_row(
        "mAh", f"{total:.1f}", f"a {cell:,.0f} mAh cell lasts {cell * days / total:.0f} days; {board}'s currents"
    )
    return table
