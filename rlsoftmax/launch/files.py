"""Where Hydra finds configurations: ours first, then the user's, whose files are checked before Hydra sees them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigLoadError, ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import OmegaConf

from rlsoftmax.errors import ConfigError
from rlsoftmax.launch.yaml_check import MOST_BYTES, check_yaml
from rlsoftmax.places import shipped

_HYDRAS = re.compile(r"hydra(?!\.(launcher|sweeper)\b)(\.|$)")  # packages below hydra that files may not fill


def user_folders(folders: Sequence[Path]) -> tuple[Path, ...]:
    """Return ./configs, if it is there, and the given folders.

    Raises:
      ConfigError: if one is not there, or holds a file with the name of a shipped one, which Hydra would ignore.
    """
    ours = shipped("configs")
    own = [Path("configs")] if Path("configs").is_dir() and Path("configs").resolve() != ours else []
    for folder in folders:
        if not folder.is_dir():
            raise ConfigError(f"no such folder: {folder}.")
    for folder in (*own, *folders):
        for file in ours.rglob("*.yaml"):
            mine = folder / file.relative_to(ours)
            if folder.resolve() != ours and mine.exists() and mine.read_bytes() != file.read_bytes():
                raise ConfigError(f"{mine}: rlsoftmax ships an option of this name; give yours another one.")
    return (*own, *folders)


def add_folders(search_path: ConfigSearchPath, folders: Sequence[Path]) -> None:
    """Append the user's folders, so that they add options and never change the meaning of ours."""
    for folder in folders:
        search_path.append("user", f"{UserFiles.scheme()}://{folder.resolve()}")


class SearchPath(SearchPathPlugin):
    """For Hydra's own driver, which asks for folders by this plugin."""

    folders: tuple[Path, ...] = ()

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Append the folders of the command that is being run."""
        add_folders(search_path, type(self).folders)


class UserFiles(ConfigSource):
    """A folder of the user: ordinary YAML, checked before Hydra sees it."""

    @staticmethod
    def scheme() -> str:
        """Return the prefix of such folders on the search path."""
        return "rlsoftmax"

    def load_config(self, config_path: str) -> ConfigResult:
        """Return a checked file. ConfigError names file and line."""
        path = self._file(config_path)
        if not path.is_file():
            raise ConfigLoadError(f"Config not found : {path}")
        text = _text(path)
        check_yaml(text, path)
        header = ConfigSource._get_header_dict(text[:512])
        if _HYDRAS.match(config_path.replace("/", ".")) or _HYDRAS.match(header.get("package") or ""):
            raise ConfigError(f"{path}: a file cannot fill Hydra's own settings.")
        return ConfigResult(self.provider, f"{self.scheme()}://{self.path}", OmegaConf.create(text), header)

    def available(self) -> bool:
        """Return whether the folder is there."""
        return Path(self.path).is_dir()

    def is_group(self, config_path: str) -> bool:
        """Return whether this is a folder of options."""
        return (Path(self.path) / config_path).is_dir()

    def is_config(self, config_path: str) -> bool:
        """Return whether this is a file."""
        return self._file(config_path).is_file()

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        """Return the options below a group."""
        found: list[str] = []
        for file in sorted((Path(self.path) / config_path).iterdir()):
            self._list_add_result(found, str(Path(config_path) / file.name), file.name, results_filter)
        return found

    def _file(self, config_path: str) -> Path:
        return Path(self.path) / self._normalize_file_name(config_path)


def _text(path: Path) -> str:
    if path.stat().st_size > MOST_BYTES:
        raise ConfigError(f"{path}: larger than {MOST_BYTES} bytes.")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8 text.") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}.") from None
