"""The picture of a benchmark: a model's instructions and bytes, dibble's beside other people's and C's."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from matplotlib.figure import Figure

from dibble_tools.bench.cases import DIGITS
from dibble_tools.bench.results import CODE, EMLEARN_CALL, EMLEARN_CLASS, EXPORTED, TABLES, THUMB, VIPER, C
from dibble_tools.common.formatting import is_number
from dibble_tools.report.plot_style import WIDTH, Drawing, Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OWN = {TABLES: "dibble, tables", CODE: "dibble, as code", VIPER: "dibble, viper", THUMB: "dibble, assembler"}
AS_C = {EXPORTED: "dibble, export --to c", C: "C, gcc -O2"}
ROW_INCHES, HEAD_INCHES = 0.235, 0.62
ROOM_FOR_FIGURES = 1.4  # times the longest bar


class Panel(NamedTuple):
    """A chart: its title, which figure of a way it shows, the first that there is, and the ways it leaves out."""

    title: str
    keys: tuple[str, ...]
    without: tuple[str, ...] = ()


PANELS = (
    Panel("Python: the 32-bit VM's instructions", ("wasi_instructions_predict",)),
    Panel("Machine code, called by Python: Cortex-M0 instructions", ("m0_instructions_called",)),
    Panel("Machine code by itself: Cortex-M0 instructions", ("m0_instructions_kernel",)),
    Panel("Bytes: the model, or all of a C program", ("model_bytes", "m0_flash_bytes"), (VIPER,)),
)


def draw(found: Mapping[str, Any], theme: Theme) -> Drawing | None:
    """Draw the digits forest of a benchmark's JSON, or else its first model."""
    models = {model["name"]: model for model in found["models"]}
    model = models.get(DIGITS) or next(iter(models.values()), None)
    if model is None:
        return None
    charts = [(panel, bars) for panel in PANELS if (bars := _bars(panel, model["ways"]))]
    if not charts:
        return None
    rows = [len(bars) + 1.5 for _, bars in charts]
    height = sum(ROW_INCHES * len(bars) + HEAD_INCHES for _, bars in charts) + 0.35
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    figure.suptitle(f"{model['name']} (shorter is better)", fontsize=11, fontweight="bold")
    said = []
    for axes, (panel, bars) in zip(
        figure.subplots(len(charts), squeeze=False, height_ratios=rows)[:, 0], charts, strict=True
    ):
        _chart(axes, panel.title, bars, theme)
        said.append(f"{panel.title}: " + ", ".join(f"{way} {value:,.0f}" for way, value in bars) + ".")
    return Drawing(figure, " ".join(said))


def _bars(panel: Panel, ways: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, float]]:
    """Return (way, figure), the largest first."""
    found = []
    for way, figures in ways.items():
        value = next((figures[key] for key in panel.keys if is_number(figures.get(key)) and figures[key] > 0), None)
        if value is not None and way not in panel.without:
            found.append((way, value))
    return sorted(found, key=lambda bar: -bar[1])


def _chart(axes: "Axes", title: str, bars: list[tuple[str, float]], theme: Theme) -> None:
    own, gcc, others = theme.series[0], theme.series[5], theme.grid
    longest = max(value for _, value in bars)
    for row, (way, value) in enumerate(bars):
        colour = own if way in OWN else gcc if way in AS_C else others
        axes.barh(row, value, height=0.72, color=colour)
        quoted = " (quoted)" if value in (EMLEARN_CALL, EMLEARN_CLASS) else ""
        weight = "bold" if way in OWN else "normal"
        axes.text(value + longest * 0.015, row, f"{value:,.0f}{quoted}", va="center", fontsize=8.5, fontweight=weight)
    axes.set_yticks(range(len(bars)), [{**OWN, **AS_C}.get(way, way) for way, _ in bars])
    for label, (way, _) in zip(axes.get_yticklabels(), bars, strict=True):
        label.set_color(theme.ink if way in OWN else theme.quiet)
        label.set_fontweight("bold" if way in OWN else "normal")
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, longest * ROOM_FOR_FIGURES)
    axes.xaxis.set_visible(False)
    axes.grid(False)
    axes.spines[["bottom"]].set_visible(False)
    axes.set_title(title, loc="left", fontsize=9.5)
