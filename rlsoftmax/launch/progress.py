"""One line on a terminal that says how far a study is."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rlsoftmax.experiment.execute import Progress


@contextlib.contextmanager
def progress_line() -> Iterator[Callable[[Progress], None] | None]:
    """Yield what to call with each Progress; None where nobody looks, so that logs stay clean."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("compiling", total=None)

        def show(now: Progress) -> None:
            failed = f", {now.failed} failed" if now.failed else ""
            words = f"{now.what}: {now.finished} runs{failed}".replace("[", r"\[")
            bar.update(task, description=words, completed=now.done, total=now.total)

        yield show
