"""Where things are: in a checkout beside the package, in a wheel inside it."""

from __future__ import annotations

from pathlib import Path

from rlsoftmax.errors import ConfigError, did_you_mean

PACKAGE = Path(__file__).resolve().parent
GROUPS = ("env", "agent", "policy", "tau")


def shipped(folder: str) -> Path:
    """Return the folder `configs` or `experiments` that came with this installation."""
    inside = PACKAGE / folder
    return inside if inside.is_dir() else PACKAGE.parent / folder


def options(group: str) -> list[str]:
    """Return the names that `group=` accepts in this folder: shipped ones first, then those of ./configs."""
    roots = dict.fromkeys((shipped("configs"), Path("configs").resolve()))
    return list(dict.fromkeys(file.stem for root in roots for file in sorted((root / group).glob("*.yaml"))))


def studies() -> dict[str, Path]:
    """Return name -> folder of every experiments/<name>/study.yaml; the user's own ./experiments come first."""
    found: dict[str, Path] = {}
    for root in (Path("experiments"), shipped("experiments")):
        for file in sorted(root.glob("*/study.yaml")):
            found.setdefault(file.parent.name, file.parent.resolve())
    return found


def study_folder(name: str) -> Path:
    """Return the folder of a study given by name or by path. Errors: ConfigError with the closest name."""
    if (Path(name) / "study.yaml").is_file():
        return Path(name).resolve()
    known = studies()
    if name not in known:
        raise ConfigError(f"no study {name!r}.{did_you_mean(name, known)}")
    return known[name]


def stored(results: str | Path = "results") -> list[str]:
    """Return the names of the studies below a results folder, the newest first."""
    plans = sorted(Path(results).glob("*/plan-*.json"), key=lambda file: -file.stat().st_mtime)
    return list(dict.fromkeys(file.parent.name for file in plans))
