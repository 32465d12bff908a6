"""Hydra's own driver: for looking (--cfg, --info, --hydra-help, completion) and for other launchers and sweepers."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import hydra

from rlsoftmax.errors import ConfigError
from rlsoftmax.launch import plugins
from rlsoftmax.launch.files import SearchPath, user_folders
from rlsoftmax.places import shipped
from rlsoftmax.shelf import WITH

# hydra.* that an argument may set; everything else decides where files go or what code runs
_ALLOWED = re.compile(r"[+~]*hydra[./](launcher|sweeper|verbose)\b")


def is_override(argument: str) -> bool:
    """Return whether this is `key=value` or `~key`; the rest are flags and their values."""
    return not argument.startswith("-") and ("=" in argument or argument.startswith("~"))


def is_hydras(argument: str) -> bool:
    """Return whether an override is about Hydra itself, not about the study."""
    return is_override(argument) and argument.lstrip("+~").startswith(("hydra.", "hydra/"))


def check_arguments(arguments: Sequence[str]) -> None:
    """Refuse what would run code or decide where files go. Errors: ConfigError."""
    for argument in arguments:
        key = argument.partition("=")[0]
        if "_target_" in argument or (is_hydras(argument) and not _ALLOWED.match(key)):
            raise ConfigError(f"{argument}: of Hydra's own settings only launcher, sweeper and verbose can be changed.")


def drive(arguments: Sequence[str], folders: Sequence[Path]) -> None:
    """Let Hydra do what the arguments say. Errors: whatever it raises; launch/explain.py turns it into a sentence."""
    overrides = [argument for argument in arguments if is_override(argument)]
    flags = [argument for argument in arguments if not is_override(argument)]
    words = ["rlsoftmax", *overrides, *plugins.FIXED, *flags]  # 1.3 wants all overrides in one piece
    with _process(words), _search_path(user_folders(folders)):
        plugins.register()
        warnings.filterwarnings("ignore", message=".*version_base")  # needed by 1.3, deprecated by 1.4
        hydra.main(version_base="1.3", config_path=str(shipped("configs")), config_name="config")(plugins.run_one)()


@contextlib.contextmanager
def _search_path(folders: tuple[Path, ...]) -> Iterator[None]:
    SearchPath.folders = folders
    try:
        yield
    finally:
        SearchPath.folders = ()


@contextlib.contextmanager
def _process(words: list[str]) -> Iterator[None]:
    """Hydra reads sys.argv and os.environ; both are put back."""
    before = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv, os.environ["HYDRA_FULL_ERROR"] = words, "1"  # Hydra's own switch: raise, do not print and exit
    try:
        with warnings.catch_warnings():
            yield
    finally:
        sys.argv = before[0]
        _restore("HYDRA_FULL_ERROR", before[1])


def _restore(key: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(key, None)
    else:
        os.environ[key] = value


@contextlib.contextmanager
def with_files(paths: Sequence[str]) -> Iterator[None]:
    """Bring components from files while a command runs; worker processes inherit them."""
    before = os.environ.get(WITH)
    if paths:
        os.environ[WITH] = os.pathsep.join(str(Path(path).resolve()) for path in paths)
    try:
        yield
    finally:
        _restore(WITH, before)
