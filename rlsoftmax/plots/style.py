"""How figures look: the base style, its overlays, widths, and the colours that mean something."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.errors import BadValue, ConfigError, did_you_mean

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

_FOLDER = Path(__file__).parent
_BASE = "rlsoftmax"
WIDTHS = {"icml": 3.25, "neurips": 5.5, "wide": 7.2, "slides": 9.0}  # inches
_NARROW, _BROAD = 2.0, 40.0

# Evenly spaced in lightness (OKLab), so that the order survives grey print and colour blindness. Cold is greedy.
_TEMPER = {
    "light": ("#122864", "#3f398c", "#7d44a4", "#c05099", "#f26f6f", "#ffa746"),
    "dark": ("#395cb9", "#706dd3", "#ae7bdb", "#ee8ac5", "#ffae9b", "#ffdd80"),
}
_YIELD = {
    "light": ("#f6f7f9", "#d5e6e6", "#9ccac9", "#579fae", "#2a6b92", "#16366f"),
    "dark": ("#1b2028", "#1f3a4d", "#285f74", "#3f8f96", "#7dbfb0", "#d9f0dc"),
}
_APART = math.log(4.0)  # greedy and uniform are as far from their neighbours as a factor of 4
_ARMS = {"light": ("#c3c8d0", "#0b5d8a"), "dark": ("#4b535f", "#6cc4f2")}


def overlays() -> list[str]:
    """Return the names that `style` accepts: the style files beside the base.

    >>> overlays()
    ['dark', 'paper', 'slides']
    """
    return sorted(file.stem for file in _FOLDER.glob("*.mplstyle") if file.stem != _BASE)


@contextlib.contextmanager
def styled(style: str = "") -> Iterator[None]:
    """Draw and save within the base style and some overlays; afterwards matplotlib is as it was before.

    Args:
      style: names joined by commas, later ones win: `paper`, `slides,dark`; empty for the base alone.

    Raises:
      ConfigError: with the closest name, for an unknown one.
    """
    import matplotlib

    with matplotlib.rc_context(_parameters(style)):
        yield


def _parameters(style: str) -> dict[str, Any]:
    """Return all settings but the backend's: what a user's own matplotlibrc says changes no figure."""
    import matplotlib

    names = [name.strip() for name in style.split(",") if name.strip()]
    for name in names:
        if name not in overlays():
            raise ConfigError(f"no style {name!r}.{did_you_mean(name, overlays())}")
    kept = {key: value for key, value in matplotlib.rcParamsDefault.items() if not key.startswith(("backend", "date."))}
    for name in (_BASE, *names):
        kept |= _file(name)
    return kept


@functools.cache
def _file(name: str) -> dict[str, Any]:
    import matplotlib

    return dict(matplotlib.rc_params_from_file(_FOLDER / f"{name}.mplstyle", use_default_template=False))


def inches(width: float | str | None, usual: float) -> float:
    """Return a width in inches: a number, the name of a page, or None for the usual one of a figure.

    `usual` gives way to the width of an overlay that has its own, such as slides.

    Raises:
      ConfigError: for an unknown name, or a width on which nothing can be read.

    >>> inches("neurips", 7.2), inches(4, 7.2)
    (5.5, 4.0)
    """
    import matplotlib

    if width is None:
        across = float(matplotlib.rcParams["figure.figsize"][0])
        return usual if across == _file(_BASE)["figure.figsize"][0] else across
    if isinstance(width, str) and width in WIDTHS:
        return WIDTHS[width]
    try:
        number = float(width)
    except ValueError:
        raise ConfigError(
            f"no width {width!r}: a number of inches, or a name.{did_you_mean(str(width), WIDTHS)}"
        ) from None
    if not _NARROW <= number <= _BROAD:
        raise BadValue("width", number, f"must be >= {_NARROW:g} and <= {_BROAD:g} inches")
    return number


@dataclasses.dataclass(frozen=True)
class Ink:
    """Colours of the style in force: text, axis text, notes, lines of the frame, grid, page, what stands out."""

    text: str
    label: str
    muted: str
    frame: str
    grid: str
    page: str
    accent: str
    shade: str
    dark: bool


def ink() -> Ink:
    """Return the colours of the style in force."""
    import matplotlib
    from matplotlib.colors import to_hex, to_rgb

    rc = matplotlib.rcParams
    dark = sum(to_rgb(rc["axes.facecolor"])) < 1.5
    return Ink(
        text=to_hex(rc["text.color"]),
        label=to_hex(rc["axes.labelcolor"]),
        muted="#98a1ad" if dark else "#6b7380",
        frame=to_hex(rc["axes.edgecolor"]),
        grid=to_hex(rc["grid.color"]),
        page=to_hex(rc["axes.facecolor"]),
        accent="#f0803c" if dark else "#d55e00",
        shade="#232830" if dark else "#f1f0ec",
        dark=dark,
    )


def cycle() -> list[str]:
    """Return the colours of things without an order."""
    import matplotlib

    return [str(color) for color in matplotlib.rcParams["axes.prop_cycle"].by_key()["color"]]


# A policy keeps its colour from figure to figure: places in the cycle.
_KEPT = {"epsilon_greedy": 0, "boltzmann": 1, "ucb": 2, "gradient_bandit": 3, "greedy": 6}


def hole() -> str:
    """Return the colour of what cannot be entered on a map."""
    return ink().frame if ink().dark else ink().label


@functools.cache
def cycles() -> tuple[tuple[str, str], ...]:
    """Return the colours of things without an order, each for a light and a dark page; no matplotlib is needed.

    >>> cycles()[0]
    ('#0072B2', '#4FA8DC')
    """
    lines = [(_FOLDER / f"{name}.mplstyle").read_text(encoding="utf-8") for name in (_BASE, "dark")]
    light, dark = (re.findall(r"'([0-9A-F]{6})'", text[text.index("axes.prop_cycle") :]) for text in lines)
    return tuple((f"#{one}", f"#{other}") for one, other in zip(light, dark, strict=True))


def is_kept(kind: str) -> bool:
    """Return whether this kind has a colour of its own."""
    return kind in _KEPT


def colors_of(kinds: Sequence[str]) -> list[str]:
    """Return a colour for each kind of policy; the known ones keep theirs, the others take what is left."""
    colors = cycle()
    return [colors[place] for place in places_of(kinds)]


def colors_by(kinds: Sequence[str]) -> list[str]:
    """Return the colour of each thing by its kind: one for all of a kind."""
    names = list(dict.fromkeys(kinds))
    colors = dict(zip(names, colors_of(names), strict=True))
    return [colors[kind] for kind in kinds]


def places_of(kinds: Sequence[str]) -> list[int]:
    """Return the place in the cycle of each kind of policy.

    >>> places_of(["ucb", "mine", "ucb"])
    [2, 0, 1]
    """
    left = [place for place in range(len(cycles())) if place not in {_KEPT.get(kind) for kind in kinds}] or [0]
    free = iter(left * len(kinds))
    return [_KEPT[kind] if kinds.index(kind) == at and kind in _KEPT else next(free) for at, kind in enumerate(kinds)]


def yields() -> Colormap:
    """Return the map for scores: the page is low, ink is high."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("yields", _YIELD[_theme()])


def arms(count: int) -> list[str]:
    """Return one colour per action, the last for the best of them: the order is that of the true values."""
    return [blend(_ARMS[_theme()], share) for share in np.linspace(0.0, 1.0, count)]


def _theme() -> str:
    return "dark" if ink().dark else "light"


def heat(values: npt.ArrayLike, among: Sequence[float]) -> list[str]:
    """Return the colours of temperatures, by their logarithm within the range of `among`; 0 and infinity are its ends.

    Args:
      values: temperatures in [0, inf].
      among: all temperatures of the figure.
    """
    return [blend(_TEMPER[_theme()], share) for share in shares(values, among)]


def shares(values: npt.ArrayLike, among: Sequence[float]) -> list[float]:
    """Return where temperatures lie between the coldest (0) and the hottest (1) of `among`, by their logarithms.

    >>> shares([0.25, 0.5, 1.0, 0.0], [0.25, 0.5, 1.0])
    [0.0, 0.5, 1.0, 0.0]
    """
    finite = [value for value in among if 0.0 < value < math.inf]
    low, high = (math.log(min(finite)), math.log(max(finite))) if finite else (0.0, 0.0)
    low, high = low - (0.0 in among) * _APART, high + (math.inf in among) * _APART
    if not high > low:
        return [0.4] * np.size(values)
    with np.errstate(divide="ignore"):
        along = (np.log(np.atleast_1d(np.asarray(values, dtype=np.float64))) - low) / (high - low)
    return [float(share) for share in np.clip(along, 0.0, 1.0)]


def blend(stops: Sequence[str], share: float) -> str:
    """Return the colour at a share of the way along some colours; no matplotlib, so that a terminal can use it.

    >>> blend(("#000000", "#ffffff"), 0.5)
    '#808080'
    """
    colors = np.array([[int(stop[at : at + 2], 16) for at in (1, 3, 5)] for stop in stops])
    along = np.linspace(0.0, 1.0, len(stops))
    return "#" + "".join(f"{round(float(np.interp(share, along, channel))):02x}" for channel in colors.T)


def page_heat(values: npt.ArrayLike, among: Sequence[float]) -> list[tuple[str, str]]:
    """Return the colours of temperatures for a light and for a dark page; arguments as in `heat`, no matplotlib.

    >>> page_heat([0.25, 4.0], [0.25, 4.0])
    [('#122864', '#395cb9'), ('#ffa746', '#ffdd80')]
    """
    return [(blend(_TEMPER["light"], at), blend(_TEMPER["dark"], at)) for at in shares(values, among)]


def terminal_heat(values: npt.ArrayLike, among: Sequence[float]) -> list[str]:
    """Return colours of temperatures for a terminal, whose page may be light or dark."""
    return [blend(_TEMPER["dark"], share) for share in shares(values, among)]
