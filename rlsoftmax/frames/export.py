"""A study as a file for another program: csv, json or parquet."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

from rlsoftmax.errors import ConfigError, did_you_mean
from rlsoftmax.frames.columns import columns
from rlsoftmax.frames.labelled import library
from rlsoftmax.frames.spreadsheet import harmless, spelled
from rlsoftmax.store.data import Array, StudyData

Columns = Mapping[str, Array]


def exported(study: StudyData, format: str = "csv", metric: str | None = None) -> bytes:
    """Return the columns of `rlsoftmax.frames.columns` as the bytes of a file.

    Args:
      format: `csv` (what is not there is empty), `json` (strict: a list of rows, NaN is null, infinity "inf") or
        `parquet` (needs pyarrow; NaN is null, a key with numbers and words is text). Floats are read back to the last
        bit from all of them.
      metric: None for a row per run with its scores; else a row per run and bin.

    Raises:
      ConfigError: for an unknown format or metric, or if pyarrow is not installed.
    """
    if format not in FORMATS:
        raise ConfigError(f"no format {format!r}.{did_you_mean(format, FORMATS)}")
    return FORMATS[format](columns(study, metric))


def _csv(table: Columns) -> bytes:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(map(harmless, table))
    writer.writerows(zip(*([spelled(value) for value in column.tolist()] for column in table.values()), strict=True))
    return buffer.getvalue().encode()


def _json(table: Columns) -> bytes:
    rows = zip(*([_strict(value) for value in column.tolist()] for column in table.values()), strict=True)
    lines = (json.dumps(dict(zip(table, row, strict=True)), ensure_ascii=False, allow_nan=False) for row in rows)
    return ("[\n" + ",\n".join(lines) + "\n]\n").encode()


def _strict(value: Any) -> Any:
    """Return a value that JSON has: it knows neither NaN nor infinity."""
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "inf", -math.inf: "-inf"}.get(value)
    return value


def _parquet(table: Columns) -> bytes:
    arrow, parquet = library("pyarrow", "format=parquet", "parquet"), library("pyarrow.parquet", "", "parquet")
    whole = {name: arrow.array(_typed(column), from_pandas=True) for name, column in table.items()}
    buffer = io.BytesIO()
    parquet.write_table(arrow.table(whole), buffer)
    return buffer.getvalue()


def _typed(column: Array) -> Any:
    """Return a column of one type: Python values become text."""
    return column if column.dtype != object else [None if value is None else str(value) for value in column]


FORMATS: dict[str, Callable[[Columns], bytes]] = {"csv": _csv, "json": _json, "parquet": _parquet}
