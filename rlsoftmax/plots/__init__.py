"""Figures and tables of a study. A file of this folder with a function `draw` is a kind of figure, found by its name.

Such a file has `SIZE` (inches), `numbers(study, view)`, which returns what is plotted as a plain dataclass, and
`draw(figure, numbers)`, which puts exactly that on a figure and writes nothing.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlsoftmax.errors import ConfigError, did_you_mean
from rlsoftmax.store.data import StudyData

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FOLDER = Path(__file__).parent
_MARK = "\ndef draw(figure: Figure, "


@functools.cache
def kinds() -> tuple[str, ...]:
    """Return the names of all figures; no file is imported.

    >>> "temperature" in kinds()
    True
    """
    files = sorted(_FOLDER.glob("[!_]*.py"))
    return tuple(file.stem for file in files if _MARK in file.read_text(encoding="utf-8"))


def draw(
    study: StudyData,
    kind: str | None = None,
    style: str = "",
    width: float | str | None = None,
    axis: str | None = None,
    score: str | None = None,
) -> Figure:
    """Return a figure of a study; nothing is written, and pyplot knows nothing of it.

    Args:
      kind: the name of a file of this folder; None for what suits the study.
      style: overlays, such as `paper` or `slides,dark`.
      width: inches, or the name of a page: icml, neurips, wide, slides; None for what suits the figure.
      axis: the swept key along which to draw: `beta` draws temperatures as 1 / tau.
      score: `online` (while learning) or `greedy` (the final greedy policy).

    Raises:
      ConfigError: with the closest name for an unknown one, or if the study does not have what the figure shows.
    """
    from rlsoftmax.plots.grouping import usual_kind

    kind = kind or usual_kind(study)
    return figure_of(kind, plotted(study, kind, axis, score), style, width)


def plotted(study: StudyData, kind: str = "temperature", axis: str | None = None, score: str | None = None) -> Any:
    """Return the numbers of a figure: a dataclass, which `series.plain` makes plain. Arguments, errors as in `draw`."""
    from rlsoftmax.plots.grouping import present
    from rlsoftmax.plots.series import View

    return _module(kind).numbers(present(study), View(axis, score))


def figure_of(kind: str, numbers: Any, style: str = "", width: float | str | None = None) -> Figure:
    """Return the figure that shows these numbers, laid out. Arguments and errors as in `draw`."""
    from matplotlib.figure import Figure

    from rlsoftmax.plots.style import inches, styled

    module = _module(kind)
    with styled(style):
        figure = Figure(figsize=(inches(width, module.SIZE[0]), module.SIZE[1]))
        module.draw(figure, numbers)
    return figure


def save(
    study: StudyData,
    folder: Path | str,
    kinds: Iterable[str] = (),
    formats: Iterable[str] = ("png", "svg"),
    style: str = "",
    width: float | str | None = None,
    axis: str | None = None,
    score: str | None = None,
) -> list[Path]:
    """Write `<kind>.<format>` for every kind and format, and `<kind>.json`, the plotted numbers; return the files.

    Args:
      folder: where; it is made if it is missing. Each file is written whole or not at all.
      kinds: of figures; none for the one that suits the study.
      formats: of png, svg, pdf, json.
      style, width, axis, score: as in `draw`.

    Raises:
      ConfigError: as in `draw`, and for an unknown format; then nothing is written.

    A figure whose numbers and look are those of the files that are there is not drawn again. The SVG is the same, byte
    for byte, whenever the numbers are.
    """
    from rlsoftmax.plots.files import Request, write
    from rlsoftmax.plots.grouping import usual_kind

    requests = [Request(kind, style, width, axis, score) for kind in tuple(kinds) or (usual_kind(study),)]
    return write(study, Path(folder), requests, tuple(dict.fromkeys([*formats, "json"])))


def _module(kind: str) -> Any:
    if kind not in kinds():
        raise ConfigError(f"no figure {kind!r}.{did_you_mean(kind, kinds())}")
    return importlib.import_module(f"rlsoftmax.plots.{kind}")
