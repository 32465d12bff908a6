"""Link the loop with the rules of one kind: the classes of an agent, a policy, a schedule and an environment."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from rlsoftmax.component import is_shipped
from rlsoftmax.contracts import MANY, Agent, Environment, Policy, Schedule, asks, spares
from rlsoftmax.engine import loop, stages
from rlsoftmax.engine.link import bind, check_reached, compiled, link
from rlsoftmax.engine.writes import writes_one

# Order in which the loop passes what it offers (loop.py); names with an underscore are for the linker alone.
LEARNS = (
    "state", "action", "reward", "next_state", "next_action", "terminated", "ended", "probabilities", "temperature",
    "next_temperature", "next_worth", "step", "luck",
)  # fmt: skip
RANKS = ("values", "state", "_here", "_l", "step", "luck")
PREFERS = ("preferences", "values", "temperature", "state", "_here", "_many", "_l", "step", "luck")
WEIGHS = ("weights", "values", "temperature", "state", "_here", "_many", "_l", "step", "luck")
DECIDES = ("values", "changed", "temperature", "state", "_here", "_many", "_l", "uniform", "step", "luck")
WARMS = ("values", "state", "_here", "_l", "step")
MOVES = ("state", "action", "uniform", "normal", "time", "step", "luck")
STARTS = ("uniform", "step", "luck")
OBSERVES = ("state", "action", "reward", "change", "terminated", "ended", "step", "luck")
TOLD = {
    "there": "game.out.next.state[lane]", "reward": "game.out.reward[lane]", "terminated": "game.out.terminated[lane]",
    "first": "game.out.told.first[lane]",
}  # fmt: skip

LAWS: dict[str, Callable[..., None]] = {  # what draws the numbers of all actions
    "uniforms": link(stages.draw_rows, {"shaped": stages.copy}),
    "normals": stages.draw_normals,
    "gumbels": link(stages.draw_rows, {"shaped": stages.to_gumbels}),
}
INLINED_APART = frozenset({"weigh_lanes"})  # inlining the widest stage costs more than calling it
DRAWN = ("game.out.many", "lane"), ("_many", "_l")  # numbers of all actions: where they are
LINKED = (
    "act", "ask_world", "react", "begin_lanes", "look_ahead", "look_in", "copy_place", "only", "see",
    "begin", "choose", "warm", "rank_lanes", "each_run", "decide_lanes", "draw_odds_here", "forbid_here",
    "look_beyond_cuts", "play_lanes", "move_lane", "end_episodes", "note_episode", "keep_record", "look_at_next",
    "learn_lanes", "warmth_ahead", "value_ahead", "observe_lane", "keep_for_later", "learn_late", "learn_one_late",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Names:
    """Names of the arrays: of single runs (agent first, then policy, schedule, visits, environment), and shared."""

    mind: tuple[str, ...]  # what the agent, the policy and the schedule remember, and `visits`
    world: tuple[str, ...]  # what the environment owns
    shared: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Kind:
    """What shares one compiled loop."""

    agent: type[Agent]
    policy: type[Policy]
    heat: type[Schedule] | None  # the class of an adaptive schedule
    env: type[Environment]
    names: Names
    has_states: bool
    absent: tuple[str, ...] = ()  # what this environment or agent could declare or ask for, but does not
    coding: type | None = None
    stepped: bool = False  # the world is a Python object that is stepped from outside
    late: bool = False  # rewards are seen later than they are paid
    varies: bool = False  # which arms are there depends on the step

    @functools.cached_property
    def bandit(self) -> bool:
        """Whether every step is a pull."""
        return self.env.is_bandit()

    @property
    def chooses(self) -> bool:
        """Whether the policy returns the action itself: no stage walks over its values."""
        return "choose" in self.policy.own_rules()

    @property
    def guards_states(self) -> bool:
        """Whether it is looked at that states exist: a rule that is not shipped may name any number."""
        return not (self.bandit or is_shipped(self.env))

    @property
    def guards_actions(self) -> bool:
        """Whether the same is looked at of actions."""
        return self.chooses and not is_shipped(self.policy)

    @property
    def lanes_last(self) -> bool:
        """Whether the arrays of the runs lie side by side, so that stages read rows of lanes; else run after run."""
        return self.bandit and not self.chooses

    @property
    def in_place(self) -> bool:
        """Whether `choose` sees the values where the agent keeps them."""
        return self.bandit and self.chooses and not self.varies and "rank" not in self.agent.own_rules()

    @functools.cached_property
    def changes_one(self) -> bool:
        """Whether between two choices of a run only the value of the action played can have changed."""
        ranked, heat = self.names.mind[0], self.heat.own_rules().values() if self.heat else ()
        at_once = self.in_place and not self.late and not self.looks_ahead
        return at_once and writes_one(self.agent.learn, ranked) and not any(asks(rule, ranked) for rule in heat)  # type: ignore[attr-defined]

    @functools.cached_property
    def quantities(self) -> tuple[str, ...]:
        """Return the rows of the record, in order."""
        rules = self.env.own_rules().keys() - set(self.absent)
        regret = ("regret", "optimal") if "regret" in rules else ()
        if self.bandit:
            return ("reward", *regret)
        success = ("success",) if "success" in rules else ()
        return ("reward", *regret, "episodes", "return", "length", *success)

    @functools.cached_property
    def looks_ahead(self) -> bool:
        """Whether the agent asks for what is done next, and so chooses before it learns."""
        learn = self.agent.own_rules().get("learn")
        return asks(learn, "next_action") or asks(learn, "next_probabilities")

    @functools.cached_property
    def needs_probabilities(self) -> bool:
        """Whether the agent asks for the chance of each action."""
        learn = self.agent.own_rules().get("learn")
        return asks(learn, "probabilities") or asks(learn, "next_probabilities")

    @functools.cached_property
    def keeps_temperature(self) -> bool:
        """Whether the agent asks for the temperature of this step or the next."""
        learn = self.agent.own_rules().get("learn")
        return asks(learn, "temperature") or asks(learn, "next_temperature") or self.softens_by_temperature

    @functools.cached_property
    def softens_by_temperature(self) -> bool:
        """Whether what the next states are worth depends on the temperature of the next step."""
        return asks(self.agent.own_rules().get("softness"), "next_temperature")

    @functools.cached_property
    def looks_at_next(self) -> bool:
        """Whether a stage says what the next states are worth; a pull has none."""
        return not self.bandit and asks(self.agent.own_rules().get("learn"), "next_worth")

    @functools.cached_property
    def uses_normal(self) -> bool:
        """Whether the world asks for normal noise."""
        rules = self.env.own_rules()
        return asks(rules.get("pull"), "normal") or asks(rules.get("step"), "normal")

    @functools.cached_property
    def choice_draws(self) -> bool:
        """Whether a rule of the policy asks for numbers of all actions."""
        return any(map(law_of, self.policy.own_rules().values()))

    @functools.cached_property
    def outcome_draws(self) -> bool:
        """Whether the world or the agent does."""
        return any(law_of(rule) for part in (self.env, self.agent) for rule in part.own_rules().values())

    @functools.cached_property
    def allowed(self) -> str:
        """Return where it is said which actions are allowed: `shared`, `own` (by each run), or nowhere."""
        return "shared" if "allowed" in self.names.shared else "own" if "allowed" in self.names.world else ""

    def __str__(self) -> str:
        parts = (self.agent, self.policy, self.heat, self.env)
        return " x ".join(part.__name__ for part in parts if part is not None)


def asks_anybody(kind: Kind, *names: str) -> bool:
    """Return whether a rule of the agent, the policy or the schedule asks for one of the names."""
    return any(asks_for(part, name, kind.absent) for part in _minds(kind) for name in names)


def asks_for(part: type, name: str, absent: tuple[str, ...]) -> bool:
    """Return whether a rule of this class asks for `name`, and does not do without."""
    rules = part.own_rules().values()  # type: ignore[attr-defined]
    return any(asks(rule, name) and not spares(rule, name, absent) for rule in rules)


def law_of(rule: FunctionType | None) -> str:
    """Return which numbers of all actions a rule asks for, if any."""
    return next((law for law in MANY if asks(rule, law)), "")


def _minds(kind: Kind) -> list[Any]:
    return [part for part in (kind.agent, kind.policy, kind.heat) if part is not None]


@functools.cache
def fuse(kind: Kind, debug: bool = False) -> Callable[[loop.Game], None]:
    """Return `advance` for this kind, compiled. Raises RuleError when a rule asks for what is not there.

    Where the world is stepped from outside, `advance` itself stays in Python, around its two compiled halves.
    """
    whole = linked(kind, {})
    if not kind.stepped:
        return compiled(whole, INLINED_APART, debug)
    halves = {name: compiled(whole.__globals__[name], INLINED_APART, debug) for name in ("act", "react")}
    return link(whole, halves)


@functools.cache
def surveyor(kind: Kind) -> Callable[..., None]:
    """Return `survey` for this kind, compiled: what its policy would do in every state."""
    return compiled(link(loop.survey, linked(kind, {}).__globals__), INLINED_APART)


def is_kept(kind: Kind) -> bool:
    """Return whether the compiled loop of this kind is there or on disk, so that it need not be compiled."""
    ready: Any = fuse(kind)
    cache = getattr(ready, "_cache", None)
    return cache is None or bool(ready.overloads) or cache.kept  # None: the compiler is switched off


def linked(kind: Kind, hooks: Mapping[str, Any]) -> FunctionType:
    """Return `advance` with all names filled in, as plain Python; `hooks` stand in for functions of the loop."""
    names = _rules(kind) | _constants(kind)
    parts = {name: link(getattr(loop, name), names) for name in LINKED}
    for part in parts.values():  # functions of the loop call each other
        part.__globals__.update({**parts, **hooks})
    return link(loop.advance, {**names, **parts, **hooks})


def _rules(kind: Kind) -> dict[str, Any]:
    """Return the rules, bound to what the loop passes."""
    mind, world = _sources(kind)
    agent, policy, heat, env = kind.agent, kind.policy, kind.heat, kind.env
    here = {"observation": "_here.observation[_l]", "active": "_here.active[_l]"}
    felt = {
        "observation": "game.here.observation[lane]",
        "active": "game.here.active[lane]",
        "next_observation": "game.out.next.observation[lane]",
        "next_active": "game.out.next.active[lane]",
    }
    ahead = {"next_probabilities": "probabilities"} if asks(agent.own_rules()["learn"], "next_probabilities") else {}
    row = {"allowed": f"{mind['allowed']}[{'0' if kind.varies else 'state'}]"} if "allowed" in mind else {}
    drawn, here_drawn = (dict.fromkeys(MANY, f"{rows}[:, {lane}]") for rows, lane in DRAWN)
    rules = {
        "learn": _bound(agent, "learn", LEARNS, mind | ahead | felt | drawn, kind.absent),
        "rank": _bound(agent, "rank", RANKS, mind | here),
        "prefer": _bound(policy, "prefer", PREFERS, mind | here | row | here_drawn),
        "weigh": _bound(policy, "weigh", WEIGHS, mind | here | row | here_drawn),
        "decide": _bound(policy, "choose", DECIDES, mind | here | row | here_drawn),
        "rank_stage": getattr(agent, "rank_lanes", None),
        "soften": _bound(agent, "softness", ("next_temperature",), mind, kind.absent),
        "worth_stage": getattr(agent, "worth_lanes", None),
        "weigh_lanes": getattr(policy, "weigh_lanes", None),
        "heat": _bound(heat, "temperature", WARMS, mind | here | row),
        "watch": _bound(policy, "observe", OBSERVES, mind),
        "sense": _bound(heat, "observe", OBSERVES, mind),
        "pull": _bound(env, "pull", MOVES, world | drawn),
        "move": bind(loop.told_move, MOVES, TOLD) if kind.stepped else _bound(env, "step", MOVES, world | drawn),
        "start": bind(loop.told_start, STARTS, TOLD) if kind.stepped else _bound(env, "start", STARTS, world),
        "lose": _bound(env, "regret", ("state", "action", "step"), world),
        "succeed": _bound(env, "success", ("reward", "terminated", "next_state"), world),
        "encode": _bound(kind.coding, "encode", ("_into",), world | {"active": "_into.active[lane]"}),
        "count": bind(loop.increment, ("state", "action"), mind) if "visits" in mind else None,
        "value_now": bind(loop.entry, ("state", "action"), {"array": mind[kind.names.mind[0]]}),
        "show": None,
    } | _draws(kind)
    if "observation" in kind.names.world:
        into = {"observation": world["observation"], "into": "_into.observation[lane]"}
        rules["show"] = bind(loop.take, ("_into",), into)
    return rules


def _draws(kind: Kind) -> dict[str, Callable[..., None]]:
    """Return what draws the numbers of all actions for the rules that ask for them."""
    agent, policy, env = kind.agent.own_rules(), kind.policy.own_rules(), kind.env.own_rules()
    move = None if kind.stepped else env.get("pull", env.get("step"))
    rules = {name: policy.get(name) for name in ("choose", "prefer", "weigh")} | {"learn": agent["learn"], "move": move}
    laws = {name: law_of(rule) for name, rule in rules.items()}
    return {f"draw_for_{name}": LAWS.get(law, stages.draw_nothing) for name, law in laws.items()}


def _sources(kind: Kind) -> tuple[dict[str, str], dict[str, str]]:
    """Return where the rules of the mind, and those of the world, find arrays: the only place that knows the layout."""
    index = "[..., lane]" if kind.lanes_last else "[lane]"
    names = kind.names
    mind = {name: f"game.memory[{i}]{index}" for i, name in enumerate(names.mind)}
    owned = {name: f"game.memory[{i}]{index}" for i, name in enumerate(names.world, len(mind))}
    world = owned | {name: f"game.shared[{i}]" for i, name in enumerate(names.shared)}
    allowed = {name: text for name, text in world.items() if name == "allowed"}
    if kind.varies:  # the one row that is true now, as a table of one state
        allowed = {name: f"{text}[step % {text}.shape[0] :][:1]" for name, text in allowed.items()}
    return mind | allowed, world


def _bound(
    part: type | None, name: str, offered: tuple[str, ...], sources: Mapping[str, str], absent: tuple[str, ...] = ()
) -> FunctionType | None:
    rule = None if part is None else part.own_rules().get(name)  # type: ignore[attr-defined]
    if rule is None:
        return None
    check_reached(rule)
    return bind(rule, offered, {key: text for key, text in sources.items() if key not in offered}, absent)


def _index_of_allowed(kind: Kind) -> int:
    """Return its place among the shared arrays, or among those of the runs."""
    own = kind.names.mind + kind.names.world
    names = {"shared": kind.names.shared, "own": own, "": ("allowed",)}[kind.allowed]
    return names.index("allowed")


def _constants(kind: Kind) -> dict[str, Any]:
    """Return what numba takes for constants, so that branches vanish."""
    policy, heat = kind.policy.own_rules(), kind.heat.own_rules() if kind.heat else {}
    rows = {name.upper(): i for i, name in enumerate(kind.quantities)}
    absent = {name: 0 for name in ("REGRET", "OPTIMAL", "EPISODES", "RETURN", "LENGTH", "SUCCESS") if name not in rows}
    learn = kind.agent.own_rules()["learn"]
    shapes = [kind.names.mind.index(name) for name in kind.policy.shapes] or [0]
    return rows | absent | {
        "BANDIT": kind.bandit,
        "BOX": "observation" in kind.names.world,
        "HAS_STATES": kind.has_states,
        "KEEPS_OBSERVATION": asks_anybody(kind, "observation", "next_observation"),
        "KEEPS_ACTIVE": kind.coding is not None,
        "LOOKS_AHEAD": kind.looks_ahead,
        "NEEDS_PROBABILITIES": kind.needs_probabilities,
        "NEEDS_NEXT_TEMPERATURE": asks(learn, "next_temperature"),
        "SOFTENS_BY_TEMPERATURE": kind.softens_by_temperature,
        "LOOKS_AT_NEXT": kind.looks_at_next,
        "KEEPS_TEMPERATURE": kind.keeps_temperature,
        "USES_NORMAL": kind.uses_normal,
        "HAS_REGRET": "regret" in kind.quantities,
        "HAS_SUCCESS": "success" in kind.quantities,
        "HAS_TEMPERATURE": kind.policy.has_temperature(),
        "DRAWS_TO_LEARN": bool(law_of(learn)),
        "DRAWS_ODDS": bool(kind.policy.shapes),
        "WON": shapes[0],
        "LOST": shapes[-1],
        "GUARDS_STATES": kind.guards_states,
        "GUARDS_ACTIONS": kind.guards_actions,
        "STEPPED": kind.stepped,
        "LATE": kind.late,
        "VARIES": kind.varies,
        "HAS_ALLOWED": bool(kind.allowed),
        "OWN_ALLOWED": kind.allowed == "own",
        "ALLOWED": _index_of_allowed(kind),
        "ADAPTIVE": kind.heat is not None,
        "RANKS": "rank" in kind.agent.own_rules(),
        "RANKS_LANES": hasattr(kind.agent, "rank_lanes"),
        "PREFERS": "prefer" in policy,
        "WEIGHS_LANES": hasattr(kind.policy, "weigh_lanes"),
        "WEIGHS": "weigh" in policy,
        "CHOOSES": kind.chooses,
        "LANES_LAST": kind.lanes_last,
        "IN_PLACE": kind.in_place,
        "CHANGES_ONE": kind.changes_one,
        "COUNTS_VISITS": "visits" in kind.names.mind,
        "POLICY_OBSERVES": "observe" in policy,
        "HEAT_OBSERVES": "observe" in heat,
        "OBSERVES": "observe" in policy or "observe" in heat,
    }  # fmt: skip
