"""Which parts fit together: what does not is refused in one sentence, before anything is linked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import FunctionType
from typing import Any

from rlsoftmax.contracts import MANY, OFFERED, Agent, Environment, asks, place
from rlsoftmax.engine.fuse import Kind
from rlsoftmax.errors import RuleError

# Names that the loop itself offers: an array of this name would be asked for in vain.
_MIND = ("learn", "rank", "prefer", "weigh", "choose", "temperature", "observe")
_WORLD = ("start", "pull", "step")


def check_env(env: Environment) -> None:
    """Refuse an environment that lacks what the loop calls or reads."""
    name, rules = type(env).__name__, env.own_rules()
    if not env.is_bandit() and not {"start", "step"} <= rules.keys():
        raise RuleError(f"environment {name} needs the rule `pull`, or `start` and `step`; it has {_list(rules)}.")
    if not hasattr(env, "actions"):
        raise RuleError(f"environment {name} does not say how many `actions` there are.")
    if not env.is_bandit() and not hasattr(env, "states"):
        raise RuleError(
            f"environment {name} has no `states`; observations that are not numbered cannot be played so far."
        )


def check_memory(agent: Agent, shapes: Mapping[str, tuple[int, ...]], states: int, actions: int) -> None:
    """Refuse an agent that leaves the policy nothing to rank. shapes: of its arrays, by name."""
    if not shapes:
        raise RuleError(f"agent {type(agent).__name__} has no `memory`, and the policy ranks its first array.")
    first, shape = next(iter(shapes.items()))
    if hasattr(agent, "worth_lanes") and shape != (states, actions):
        raise RuleError(
            f"{type(agent).__name__}.memory: `worth_lanes` reads {first!r}, which must have the shape "
            f"(states, actions) = {(states, actions)}, not {shape}."
        )
    if "rank" not in agent.own_rules() and states and shape != (states, actions):
        raise RuleError(
            f"{type(agent).__name__}.memory: the policy ranks {first!r}, which must have the shape (states, actions) = "
            f"{(states, actions)}, not {shape}; or fill `values` in a rule `rank`."
        )


def check_names(minds: Sequence[tuple[str, str]], world: Sequence[str]) -> None:
    """Refuse arrays that two parts, or a part and the loop, call the same. minds: (part, array), both by name.

    The environment's rules and those of the others never meet: there the same name may mean two arrays.
    """
    owners: dict[str, str] = {}
    for owner, name in minds:
        _check_offered(owner, name, _MIND)
        if name in owners:
            raise RuleError(f"{owners[name]} and {owner} both remember {name!r}; rename one.")
        owners[name] = owner
    for name in world:
        if world.count(name) > 1:
            raise RuleError(f"the environment both owns and shares an array {name!r}; rename one.")
        if name != "observation":
            _check_offered("the environment", name, _WORLD)


def _check_offered(owner: str, name: str, rules: tuple[str, ...]) -> None:
    if any(name in OFFERED[rule] for rule in rules):
        raise RuleError(f"{owner} has an array {name!r}, but that is what the loop offers by this name; rename it.")


def check_kind(kind: Kind) -> None:
    """Refuse an agent and a policy that lack a rule, or ask for what cannot be had together."""
    for part in (kind.agent, kind.policy, kind.env):
        _check_laws(part.own_rules().values())
    shapes = kind.policy.shapes
    if shapes and not (len(shapes) == 2 and set(shapes) <= set(kind.names.mind)):
        raise RuleError(f"policy {kind.policy.__name__}: `shapes` must name two arrays of its memory, not {shapes}.")
    rules, policy = kind.agent.own_rules(), kind.policy.own_rules()
    learn = rules.get("learn")
    if learn is None:
        raise RuleError(f"agent {kind.agent.__name__} has no rule `learn`.")
    if kind.looks_ahead and asks(learn, "probabilities"):
        raise RuleError(f"{place(learn)} may ask for `probabilities` or for what comes next, not for both.")
    for rule, word, has in (
        (learn, "probabilities", kind.policy.has_probabilities()),
        (learn, "temperature", kind.policy.has_temperature()),
        (rules.get("softness"), "temperature", kind.policy.has_temperature()),
    ):
        if rule is not None and not has and (asks(rule, word) or asks(rule, f"next_{word}")):
            raise RuleError(f"{place(rule)}: learns from the {word}, and policy {kind.policy.__name__} has none.")
    if asks(learn, "next_worth") and not ("softness" in rules and hasattr(kind.agent, "worth_lanes")):
        raise RuleError(f"{place(learn)} asks for `next_worth`: it takes a stage `worth_lanes` and a rule `softness`.")
    if not ({"weigh", "choose"} & policy.keys() or hasattr(kind.policy, "weigh_lanes")):
        raise RuleError(f"policy {kind.policy.__name__} has neither `weigh_lanes` nor a rule `weigh` or `choose`.")


def _check_laws(rules: Iterable[FunctionType]) -> None:
    """Refuse a rule that wants numbers of two laws: they would be made of the same luck."""
    for rule in rules:
        laws = [law for law in MANY if asks(rule, law)]
        if len(laws) > 1:
            raise RuleError(
                f"{place(rule)} asks for {' and '.join(laws)}, but a rule may ask for one of them; "
                "more numbers come from `luck`."
            )


def _list(names: Any) -> str:
    return ", ".join(names) or "none"
