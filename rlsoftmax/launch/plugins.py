"""What Hydra is told of us: a sweeper, a launcher, a source of files, the user's components as options.

The command line and Python expand and run studies without Hydra's driver (request.py). These two plugins carry the same
plan through it when the user chooses another launcher or sweeper.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from hydra import version
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, RunMode, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from rlsoftmax.errors import ConfigError
from rlsoftmax.experiment.compose import Composer
from rlsoftmax.experiment.spec import experiment
from rlsoftmax.launch.files import SearchPath, UserFiles, add_folders, user_folders
from rlsoftmax.launch.play import announce, check_study, play_part
from rlsoftmax.launch.request import Request, grids_in, plan_jobs, plan_with
from rlsoftmax.places import shipped
from rlsoftmax.shelf import bring_all, brought, defaults

# Settings that no file and no argument can change: Hydra itself writes nothing.
FIXED = (
    "hydra.job.name=rlsoftmax",
    "hydra.run.dir=.",
    "hydra.sweep.dir=${results}/${study}",
    "hydra.sweep.subdir=.",
    "hydra.output_subdir=null",
    "hydra/job_logging=none",
    "hydra/hydra_logging=none",
)


class GridSweeper(Sweeper):
    """Hands the jobs of a plan to another launcher; the whole plan is checked, and written, before the first job."""

    def __init__(self, params: dict[str, Any] | None = None) -> None:
        self.params = params

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what Hydra composed, and make the launcher."""
        self.master, self.loader = config, hydra_context.config_loader
        self.jobs: Launcher = Plugins.instance().instantiate_launcher(hydra_context, task_function, config)

    def sweep(self, arguments: list[str]) -> Any:
        """Return what the jobs returned, one for each cell."""
        master = self.master
        request = Request(arguments=_joined(arguments), grids=grids_in(master))
        plan, jobs = plan_jobs(request, composer(self.loader, master))
        check_study(plan)
        announce(plan)  # the jobs are parts of it
        with read_write(master), open_dict(master):
            master.study = plan.name  # hydra.sweep.dir follows
        return self.jobs.launch([[*job, f"study={plan.name}"] for job in jobs], initial_job_idx=0)


def _joined(arguments: Sequence[str]) -> tuple[str, ...]:
    """Undo what `expand` did to `tau=<numbers>`, so that the axis is called tau again."""
    numbers = [argument for argument in arguments if argument.startswith("tau.value=")]
    if "tau=constant" not in arguments or len(numbers) != 1:
        return tuple(arguments)
    rest = tuple(argument for argument in arguments if argument not in ("tau=constant", *numbers))
    return (*rest, numbers[0].replace("tau.value=", "tau="))


class FusedLauncher(Launcher):
    """All jobs at once, as one plan: for sweepers that choose their cells as they go."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what Hydra composed."""
        self.master, self.loader = config, hydra_context.config_loader

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Play the jobs as one plan and return their scores."""
        compose = composer(self.loader, self.master)
        scores = scores_of([compose(job) for job in job_overrides], job_overrides)
        return [
            JobReturn(overrides=list(job), status=JobStatus.COMPLETED, _return_value=score)
            for job, score in zip(job_overrides, scores, strict=True)
        ]


def run_one(config: DictConfig) -> float:
    """Play one cell and return its score: the task of launchers that run one job at a time, perhaps elsewhere."""
    bring_all()  # this may be a fresh worker process
    plain: Any = OmegaConf.to_container(config, resolve=True)
    return scores_of([plain], [list(HydraConfig.get().overrides.task)])[0]


def scores_of(configs: Sequence[dict[str, Any]], overrides: Sequence[Sequence[str]]) -> list[float]:
    """Play cells as a part of their study, and return the mean score of the runs of each."""
    if configs[0].get("study") is None:
        raise ConfigError("this sweeper chooses its cells as it goes, so name the study: study=<name>.")
    plan = plan_with(configs, overrides, Composer(load=_nothing, options=_none))
    found = {cell.id: cell for cell in play_part(plan).cells}
    return [float(found[experiment(config).id].scores().mean()) for config in configs]


def _nothing(overrides: list[str]) -> DictConfig:
    return OmegaConf.create()


def _none(group: str) -> list[str]:
    return []


def composer(loader: ConfigLoader, master: DictConfig) -> Composer:
    """Return the composer of a loader of Hydra's driver."""
    return Composer(
        load=lambda overrides: loader.load_sweep_config(master, overrides),
        options=lambda group: loader.get_group_options(group),
    )


def standalone(config: str, folders: Sequence[Any]) -> Composer:
    """Return a composer of our own. `hydra.initialize` refuses to work inside somebody else's Hydra job."""
    register()
    search_path = create_config_search_path(str(shipped("configs")))
    path = search_path.get_path()
    schema = path.pop()  # must stay the last
    add_folders(search_path, user_folders(folders))
    path.append(schema)
    loader: Any = ConfigLoaderImpl(search_path)
    if version.getbase() is None:
        version.setbase("1.3")
    return Composer(
        load=lambda overrides: loader.load_configuration(config, [FIXED[0], *overrides], run_mode=RunMode.RUN),
        options=loader.repository.get_group_options,  # the loader's own method copies the whole repository each time
    )


@dataclass
class GridConf:
    """The option hydra/sweeper=grid."""

    _target_: str = f"{__name__}.GridSweeper"
    params: dict[str, Any] | None = None


@dataclass
class FusedConf:
    """The option hydra/launcher=fused."""

    _target_: str = f"{__name__}.FusedLauncher"


class _Stored:
    """What ConfigStore was told: Hydra 1.4 warns about a second time."""

    nodes: ClassVar[dict[tuple[str, str], Any]] = {}


def register() -> None:
    """Make our plugins known to this process only; nothing is installed into other Hydra applications."""
    plugins: Any = Plugins.instance()
    for plugin in (UserFiles, SearchPath, GridSweeper, FusedLauncher):
        plugins.register(plugin)
    # Hydra 1.3 also wants the package to be called hydra_plugins; 1.4 is content with registered classes.
    Plugins.is_in_toplevel_plugins_module = staticmethod(plugins.class_name_to_class.__contains__)  # type: ignore[method-assign]
    bring_all()
    nodes: dict[tuple[str, str], Any] = {("hydra/sweeper", "grid"): GridConf, ("hydra/launcher", "fused"): FusedConf}
    nodes |= {(group, name_and["name"]): name_and for group, cls in brought() for name_and in [defaults(cls)]}
    for (group, name), node in nodes.items():
        if _Stored.nodes.get((group, name)) != node:
            ConfigStore.instance().store(group=group, name=name, node=node, provider="rlsoftmax")
    _Stored.nodes.update(nodes)
