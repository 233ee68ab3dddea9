"""What a row of the benchmark is, and what is wanted of it. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

OURS, NPM, PYPI, BESIDE = "ours", "npm", "pypi", "beside"
TIMES = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True)
class Row:
    """One figure.

    `key` names it in the history and on the command line. `unit` is s, ms, µs, MB, /s, %, or nothing for a number.
    What is wanted, if anything, is a `ratio` of ours to the npm package's or an `absolute` value of ours: at most, or
    at least where `more` is better. `most` takes the largest sample instead of the median.
    """

    key: str
    title: str
    unit: str
    ratio: float | None = None
    absolute: float | None = None
    more: bool = False
    most: bool = False

    @property
    def wanted(self) -> str:
        """In words, as `at most 0.35 s`."""
        bound = self.absolute if self.ratio is None else self.ratio
        if bound is None:
            return ""
        unit = TIMES if self.ratio is not None else self.unit
        return f"at {'least' if self.more else 'most'} {bound:g} {unit}".strip()

    def middle(self, samples: Sequence[float]) -> float:
        """The samples as one figure."""
        return max(samples) if self.most else median(samples)

    def reached(self, figures: Mapping[str, float | None]) -> bool | None:
        """Whether `figures`, one of each server, are as wanted; None where nothing is, or a figure is missing."""
        ours, theirs = figures.get(OURS), figures.get(NPM)
        bound = self.absolute
        if self.ratio is not None:
            bound = None if theirs is None else theirs * self.ratio
        if bound is None or ours is None:
            return None
        return ours >= bound if self.more else ours <= bound


def ratio(figures: Mapping[str, float | None], other: str = NPM) -> float | None:
    """Ours by the other's; None where there is no such figure, or it is 0."""
    ours, theirs = figures.get(OURS), figures.get(other)
    return ours / theirs if ours is not None and theirs else None


def figures(row: Row, samples: Mapping[str, Sequence[float]], servers: Sequence[str]) -> dict[str, float | None]:
    """The figure of each server; None for one that has no sample."""
    return {name: row.middle(samples[name]) if samples.get(name) else None for name in servers}


def amount(value: float | None, unit: str) -> str:
    """A figure in three digits with its unit; a dash where there is none."""
    if value is None:
        return "-"
    size = abs(value)
    number = f"{value:,.0f}" if size >= 100 or not unit else f"{value:.1f}" if size >= 10 else f"{value:.2f}"
    if unit == "s" and size < 1:
        number = f"{value:.3f}"
    return f"{number} {unit}".strip()
