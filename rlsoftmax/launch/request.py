"""What a user asks for, from the command line or from Python, becomes a plan. Every cell is checked before any runs."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from rlsoftmax.component import Component, describe, name_of
from rlsoftmax.contracts import Environment, Policy, Schedule
from rlsoftmax.errors import ConfigError, RlsoftmaxError, did_you_mean
from rlsoftmax.experiment.claims import claims_of
from rlsoftmax.experiment.compose import (
    Composer,
    Grid,
    Job,
    axis_of_text,
    check_axes,
    constants,
    grid_of,
    jobs_of,
    replaced,
    varying,
)
from rlsoftmax.experiment.plan import Draft, Plan, plan_of
from rlsoftmax.experiment.spec import ABOUT, Workshop, classes_of, experiment
from rlsoftmax.launch.explain import explain
from rlsoftmax.places import GROUPS, shipped
from rlsoftmax.shelf import bring_all, brought, find

UNCHANGED = (*ABOUT, "runs")  # keys of an argument after which a study still plays the cells of its file
MOST_CELLS = 200_000
MOST_PAIRS = 10_000_000  # of states and actions: every run holds a number for each
_LOCK = threading.Lock()  # Hydra's composition is not thread-safe; the lock covers nothing else


@dataclasses.dataclass(frozen=True)
class Request:
    """A study as the user asks for it.

    arguments: overrides as they are typed. settings: keys and Python values, components included.
    grids: instead of those of the file; the study is their union.
    config: the primary configuration; folders: where else to look for it and for options.
    """

    arguments: tuple[str, ...] = ()
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    grids: tuple[Mapping[str, Any], ...] | None = None
    config: str = "config"
    folders: tuple[Path, ...] = ()
    command: str = ""


def planned(request: Request) -> Plan:
    """Return the plan of a request.

    Raises:
      ConfigError: in one or two lines, for anything that cannot be run. Nothing was written.
    """
    with _LOCK, explained():
        return plan_jobs(request, _composer_of(request))[0]


def needs_driver(request: Request) -> bool:
    """Return whether a study's file chooses a launcher or a sweeper that is not ours."""
    if request.config == "config":
        return False
    with _LOCK, explained():
        hydra = _composer_of(request).master.hydra
        return any(not str(part.get("_target_")).startswith("rlsoftmax.") for part in (hydra.launcher, hydra.sweeper))


def check_plugins(chosen: Mapping[str, str]) -> None:
    """Refuse a launcher or a sweeper that is not installed. Errors: ConfigError with the closest name."""
    with _LOCK, explained():
        composer = _composer_of(Request())
        for group, name in chosen.items():
            if name not in composer.options(group):
                raise ConfigError(f"no {group} {name!r}.{did_you_mean(name, composer.options(group))}")


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn what Hydra raises about the user's text into a ConfigError."""
    try:
        yield
    except RlsoftmaxError:
        raise
    except Exception as error:
        if (sentence := explain(error)) is None:
            raise
        raise ConfigError(sentence) from None


def _composer_of(request: Request) -> Composer:
    bring_all()
    return _composer(request.config, request.folders, (_stamp(request.folders), tuple(brought())))


@functools.lru_cache(maxsize=8)
def _composer(config: str, folders: tuple[Path, ...], stamp: object) -> Composer:
    from rlsoftmax.launch.plugins import standalone  # which knows of this module

    return standalone(config, folders)


def _stamp(folders: Iterable[Path]) -> object:
    """Return what changes when any configuration file does."""
    roots = dict.fromkeys([shipped("configs"), Path("configs").resolve(), *(folder.resolve() for folder in folders)])
    files = [file for root in roots if root.is_dir() for file in root.rglob("*.yaml")]
    return tuple(map(str, roots)), tuple((str(file), file.stat().st_mtime_ns) for file in files)


def plan_jobs(request: Request, composer: Composer) -> tuple[Plan, list[tuple[str, ...]]]:
    """Return the plan, and the overrides of each of its jobs for launchers that compose for themselves."""
    texts = [axis_of_text(argument, composer) for argument in request.arguments]
    arguments = (*texts, *grid_of(request.settings, composer))
    check_axes(arguments)
    file_grids = request.grids if request.grids is not None else _grids_of_file(request.config, composer)
    grids = [replaced(grid_of(grid, composer), arguments) for grid in file_grids or ({},)]
    _check_size(grids)
    notes: tuple[str, ...] = ()
    if any(axis.piloted for grid in grids for axis in grid):
        _plan_of(
            [_stood_in(grid) for grid in grids], request.command, composer
        )  # what is wrong is said before it flies
        grids, notes = _piloted(grids, composer)
    plan, jobs, config = _plan_of(grids, request.command, composer)
    plan = dataclasses.replace(plan, notes=(*plan.notes, *notes))
    whole = all(axis.key.partition(".")[0] in UNCHANGED for axis in arguments)
    return with_claims(plan, config, whole), [job.overrides for job in jobs]


def _plan_of(grids: Sequence[Grid], command: str, composer: Composer) -> tuple[Plan, list[Job], Mapping[str, Any]]:
    """Return the plan of grids, its jobs, and the configuration of the first one."""
    jobs = [job for grid in grids for job in jobs_of(grid)]
    workshop = Workshop()
    configs = [composed(job, composer, workshop) for job in jobs]
    drafts = _drafts(jobs, configs)
    _look_at_worlds({draft.experiment.env for draft in drafts})
    swept = {axis.key for grid in grids for axis in grid if len(axis.choices) > 1}
    settings = {key: configs[0].plain.get(key) for key in ABOUT}
    return plan_of(drafts, varying(jobs), settings, command, swept), jobs, configs[0].plain


def with_claims(plan: Plan, config: Mapping[str, Any], whole: bool) -> Plan:
    """Return the plan with the claims of a configuration; `whole`: nothing of what the file plays was changed."""
    return dataclasses.replace(plan, claims=claims_of(config.get("claims"), plan.cells, plan.axes, whole))


def _stood_in(grid: Grid) -> Grid:
    """Return a grid with two temperatures in the place of those that a pilot will propose."""
    return tuple(constants((1.0, 2.0)) if axis.piloted else axis for axis in grid)


def _piloted(grids: Sequence[Grid], composer: Composer) -> tuple[list[Grid], tuple[str, ...]]:
    """Return the grids with the temperatures that pilot runs propose, and what they found, in words."""
    from rlsoftmax.experiment.pilot import propose

    whole, notes, workshop = list[Grid](), list[str](), Workshop()
    for grid in grids:
        count = next((axis.piloted for axis in grid if axis.piloted), None)
        if count is None:
            whole.append(grid)
            continue
        jobs = jobs_of(tuple(constants((1.0,)) if axis.piloted else axis for axis in grid))
        drafts = _drafts(jobs, [composed(job, composer, workshop) for job in jobs])
        found = propose([draft.experiment for draft in drafts], count)
        whole.append(tuple(constants(found.temperatures) if axis.piloted else axis for axis in grid))
        notes.append(str(found))
    return whole, tuple(dict.fromkeys(notes))


def plan_with(configs: Sequence[Mapping[str, Any]], overrides: Sequence[Sequence[str]], composer: Composer) -> Plan:
    """Return the plan of configurations that Hydra composed for one study, each from its overrides."""
    given, workshop = [_given(texts, composer) for texts in overrides], Workshop()
    drafts = [Draft(experiment(config, workshop), keys) for config, keys in zip(configs, given, strict=True)]
    about = {**configs[0], "report_runs": 0}  # which cell is the best is known when all have been played
    plan = plan_of(drafts, dict.fromkeys(key for keys in given for key in keys), about, "")
    return with_claims(plan, configs[0], whole=False)


def _given(texts: Sequence[str], composer: Composer) -> dict[str, Any]:
    """Return key -> value of overrides; the number of a constant tau is called tau, as everywhere."""
    parsed = [composer.parse(text) for text in texts]
    values = {override.key_or_group: override.value() for override in parsed if override.key_or_group != "study"}
    if "tau.value" in values:
        values["tau"] = values.pop("tau.value")
    return values


def _check_size(grids: Sequence[Grid]) -> None:
    count = sum(math.prod(axis.count for axis in grid) for grid in grids)
    if count > MOST_CELLS:
        raise ConfigError(f"this is {count} cells, more than {MOST_CELLS}; give shorter lists.")


def _grids_of_file(config: str, composer: Composer) -> tuple[Mapping[str, Any], ...]:
    """Return the grids of a study's file; the shipped configuration has none."""
    return () if config == "config" else grids_in(composer.master)


def grids_in(config: DictConfig) -> tuple[Mapping[str, Any], ...]:
    """Return `grids`, each with `hydra.sweeper.params` below it."""
    whole: Any = OmegaConf.to_container(OmegaConf.masked_copy(config, ["grids"]), resolve=True)
    grids = whole.get("grids") or [{}]
    params: Any = OmegaConf.to_container(config.hydra.sweeper, resolve=False)
    params = params.get("params") or {}
    if not isinstance(params, dict):
        raise ConfigError("hydra.sweeper.params must be lines of the form `key: values`.")
    if not isinstance(grids, list) or not all(isinstance(grid, dict) for grid in grids):
        raise ConfigError("grids must be a list of lines of the form {key: values, key: values}.")
    return tuple({**params, **grid} for grid in grids)


@dataclasses.dataclass(frozen=True)
class Composed:
    """The configuration of a job, and what builds its components."""

    plain: dict[str, Any]
    workshop: Workshop
    chosen: Mapping[str, str]


def composed(job: Job, composer: Composer, workshop: Workshop) -> Composed:
    """Return the configuration of a job; objects from Python take the place of their groups."""
    if not job.objects:
        return Composed(composer(job.overrides), workshop, composer.chosen(job.overrides))
    objects = _with_tau(job)
    classes = {(_group(cls), name_of(cls)): cls for part in objects.values() for cls in classes_of(part)}
    plain = {group: _without_temperature(part) for group, part in objects.items()}
    names = {group: name_of(type(part)) for group, part in objects.items()}
    return Composed(
        composer(job.overrides, plain),
        Workshop(lambda group, name: classes.get((group, name)) or find(group, name)),
        {**composer.chosen(job.overrides), **names},
    )


def _group(cls: type[Component]) -> str:
    for group, base in (("tau", Schedule), ("policy", Policy), ("env", Environment)):
        if issubclass(cls, base):
            return group
    return "agent"


def _with_tau(job: Job) -> dict[str, Component]:
    """Return the objects; the temperature of a policy object is the tau, unless one is given beside it."""
    objects = dict(job.objects)
    for group, part in objects.items():
        if group not in GROUPS or _group(type(part)) != group:
            raise ConfigError(f"{group}={part!r}: {type(part).__name__} does not belong there.")
    policy: Any = objects.get("policy")
    if policy is None or not policy.has_temperature():
        return objects
    beside = [key for key in job.given if key.partition(".")[0] in ("tau", "beta")]
    usual = next(f.default for f in dataclasses.fields(policy) if f.name == "temperature")
    if not beside:
        return objects | {"tau": _schedule(policy.temperature)}
    if policy.temperature != usual:
        raise ConfigError(f"{beside[0]} is given beside {policy!r}, whose temperature is the tau: give one of them.")
    return objects


def _schedule(temperature: Any) -> Component:
    if isinstance(temperature, Component):
        return temperature
    constant: Any = find("tau", "constant")
    schedule: Component = constant(value=temperature)
    return schedule


def _without_temperature(part: Component) -> dict[str, Any]:
    plain = describe(part)
    if isinstance(part, Policy):
        plain.pop("temperature", None)
    return plain


def _drafts(jobs: Sequence[Job], configs: Sequence[Composed]) -> list[Draft]:
    """Return all experiments, or the first problem and how many others there are."""
    drafts, problems = [], dict[str, ConfigError]()
    for job, config in zip(jobs, configs, strict=True):
        try:
            drafts.append(Draft(experiment(config.plain, config.workshop), job.given, config.chosen))
        except ConfigError as error:
            problems.setdefault(str(error), error)
    if problems:
        first, *others = problems
        if not others:
            raise problems[first]
        raise ConfigError(f"{first}\n(and {len(others)} more such problem{'s' * (len(others) > 1)} in other cells)")
    return drafts


def _look_at_worlds(environments: Iterable[Any]) -> None:
    """Make each environment once, so that one that cannot be made is refused before anything runs."""
    for env in environments:
        states, actions = 1 if env.is_bandit() else getattr(env, "states", 1), env.actions
        if states * actions > MOST_PAIRS:
            raise ConfigError(
                f"env {name_of(type(env))} has {states} states x {actions} actions; more than {MOST_PAIRS} pairs "
                "are not held in a table."
            )
