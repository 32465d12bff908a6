"""The one loop. `fuse` (fuse.py) links it with the rules of an agent, a policy, a schedule and an environment.

Plain Python: names that are not defined here (learn, weigh, pull, ... and the constants in capitals) are filled in by
`fuse`; a constant that is False makes its branch vanish. Indices: lane l (one run), row (step within the window),
k (action). The order within a step is that of Sutton and Barto: choose, act, [choose ahead], learn, observe.
"""
# ruff: noqa: F821
# mypy: ignore-errors

from typing import Any, NamedTuple

import numpy as np

from rlsoftmax.contracts import from_front
from rlsoftmax.engine.betas import draw_odds
from rlsoftmax.engine.stages import (
    accumulate,
    add_up,
    copy,
    copy_rows,
    count_optimal,
    draw_uniforms,
    forbid,
    gather,
    normalise,
    pick,
    tally,
    to_normals,
)
from rlsoftmax.numeric import (
    ASIDE,
    BEGIN,
    CHOOSE,
    CUT,
    LEARN,
    MANY,
    OBSERVE,
    PREFER,
    RANK,
    SENSE,
    START,
    STEP,
    WEIGH,
    WORLD,
    random_words,
    unit,
)


class Place(NamedTuple):
    """What the rules know of where each run is: arrays [lane, ...]; None for what nobody asks for."""

    state: Any  # int64 [lane]
    observation: Any  # float64 [lane, d]
    active: Any  # int64 [lane, n]: the features that are 1


class Choice(NamedTuple):
    """What the policy did: arrays [lane] or [action, lane], and room for its stages; None for what nobody uses."""

    temperature: Any
    values: Any
    preferences: Any
    weights: Any
    total: Any
    action: Any
    scratch: Any  # [4, lane]
    many: Any  # [action, lane]: numbers that the policy's rules ask for
    room: Any  # betas.Room


class Outcome(NamedTuple):
    """What the world and the next choice made of a step: arrays [lane], [action, lane] or Place; None as above."""

    luck: Any
    chance: Any
    normal: Any
    reward: Any
    regret: Any
    next: Place
    resume: Place  # where the run goes on from: next, or the start of a new episode
    terminated: Any
    ended: Any
    next_action: Any
    temperature: Any
    next_temperature: Any
    probabilities: Any
    ahead: Any  # [action, lane]: weights of what is worth that
    worth: Any
    one: Any  # [1]: the luck of a choice at a cut
    many: Any  # [action, lane]: numbers that the world or the agent asks for
    told: Any  # Told, of a world that is stepped from outside


class Told(NamedTuple):
    """What a stepped world says beside next, reward and terminated: arrays [lane]."""

    cut: Any  # whether it cut the episode
    first: Any  # the state in which the next episode begins


class Late(NamedTuple):
    """Pulls whose rewards the agent has not seen yet: a ring of slots, one step each."""

    action: Any  # [slot, lane]
    reward: Any
    temperature: Any
    next_temperature: Any
    probabilities: Any  # [slot, action, lane]


class Peek(NamedTuple):
    """The policy at the snapshot steps: [snapshot, action, lane] and [snapshot, lane]."""

    weights: Any
    total: Any
    temperature: Any


class Game(NamedTuple):
    """All that a window of steps of one block reads and writes."""

    seed: Any
    states: Any
    limit: Any  # steps before an episode is cut
    first: Any  # first step of the window
    bin: Any  # [row]: the bin of the record that a step belongs to
    look: Any  # [row + 1]: the snapshot to take at that step, or -1
    agent: Any  # parameter tables [row + 1, config], one named column per number; [1, config] where none changes
    policy: Any
    heat: Any
    env: Any
    coding: Any
    config: Any  # [lane]
    moves: Any  # whether a schedule changes a temperature with the step
    run: Any  # [lane]
    here: Place
    action: Any  # [lane]
    age: Any  # [lane]: steps since the episode began
    gain: Any  # [lane]: sum of its rewards
    memory: Any  # tuple of arrays of single runs: lanes last where stages rank a bandit's arms, first otherwise
    shared: Any  # tuple of arrays that all runs read
    record: Any  # [bin, quantity, lane]
    peek: Peek
    now: Choice
    cut: Choice | None  # of an agent that looks ahead
    out: Outcome
    late: Late | None  # of a bandit whose rewards are seen later


def advance(game):
    """Play one window of one block; an empty one is there for its types."""
    for row in range(max(game.bin.size, 1) if STEPPED else game.bin.size):
        act(game, row)
        if STEPPED:
            ask_world(game, row)
        react(game, row)


def act(game, row):
    """Choose what is done in this step."""
    now, out = game.now, game.out
    if STEPPED and game.bin.size == 0:
        return
    if row == 0:
        draw_uniforms(game.seed, game.run, game.first, STEP, out.luck, out.chance)
        if game.first == 0:
            begin_lanes(game)
    if not LOOKS_AHEAD:
        choose(game, row, 0, game.here, out.luck, now, 0)
        copy(now.action, game.action)
        look_in(game, row)


def ask_world(game, row):
    """Nothing: a block that steps real environments puts its own function here (stepped.py)."""


def react(game, row):
    """Let the world answer, choose ahead if the agent asks for it, learn, and go on."""
    now, out = game.now, game.out
    if STEPPED and game.bin.size == 0:
        return
    any_cut = play_lanes(game, row)
    draw_uniforms(game.seed, game.run, game.first + row + 1, STEP, out.luck, out.chance)
    if LOOKS_AHEAD:
        look_ahead(game, row)
        if any_cut:
            look_beyond_cuts(game, row)
    elif NEEDS_PROBABILITIES:
        normalise(now.weights, now.total, out.probabilities)
    if LATE:
        keep_for_later(game, row)
        learn_late(game, row)
    else:
        learn_lanes(game, row)
    keep_record(game, row)
    if not BANDIT:
        copy_place(out.resume, game.here)
    if LOOKS_AHEAD:
        copy(now.action, game.action)


def numbers(table, row, config):
    """Return the numbers of a configuration in this step."""
    return table[from_front(min(row, table.shape[0] - 1)), from_front(config)]


def begin_lanes(game):
    """Start every run: its first state and, for an agent that looks ahead, its first action."""
    if not BANDIT:
        for l in range(game.run.size):
            begin(game, 0, l, 0, game.here)
    if LOOKS_AHEAD:
        choose(game, 0, 0, game.here, game.out.luck, game.now, 0)
        copy(game.now.action, game.action)
        look_in(game, 0)


def look_ahead(game, row):
    """Draw the next action, with the next step's temperature and luck, from the values before this step's update."""
    now, out = game.now, game.out
    if KEEPS_TEMPERATURE:
        copy(now.temperature, out.temperature)
    choose(game, row + 1, 0, out.resume, out.luck, now, 0)
    copy(now.action, out.next_action)
    look_in(game, row + 1)
    if KEEPS_TEMPERATURE:
        copy(now.temperature, out.next_temperature)
    if NEEDS_PROBABILITIES:
        normalise(now.weights, now.total, out.probabilities)


def look_in(game, row):
    """Keep the policy of this step, if a snapshot is due."""
    i = game.look[row]
    if i >= 0:
        copy_rows(game.now.weights, game.peek.weights[i])
        copy(game.now.total, game.peek.total[i])
        copy(game.now.temperature, game.peek.temperature[i])


# --- where a run is -----------------------------------------------------------------------------------------------


def copy_place(source, target):
    """Copy where every run is."""
    if HAS_STATES:
        copy(source.state, target.state)
    if KEEPS_OBSERVATION:
        copy_rows(source.observation, target.observation)
    if KEEPS_ACTIVE:
        copy_rows(source.active, target.active)


def only(place, l):
    """Return the place of run l alone."""
    observation = place.observation[l : l + 1] if KEEPS_OBSERVATION else None
    active = place.active[l : l + 1] if KEEPS_ACTIVE else None
    return Place(place.state[l : l + 1], observation, active)


def see(game, row, l, into):
    """Note what the world shows run l now."""
    if KEEPS_OBSERVATION:
        show(0, game, l, into)
    if KEEPS_ACTIVE:
        encode(numbers(game.coding, row, game.config[l]), game, l, into)
        if HAS_STATES:
            into.state[l] = into.active[l, 0]


def begin(game, row, l, step, into):
    """Put run l at the start of an episode whose first step is `step`."""
    env = numbers(game.env, row, game.config[l])
    chance = unit(random_words(game.seed, game.run[l], step, BEGIN)[0])
    luck = game.seed, game.run[l], step, START
    if BOX:
        start(env, game, l, chance, step, luck)
        see(game, row, l, into)
    else:
        first = start(env, game, l, chance, step, luck)
        if GUARDS_STATES and not 0 <= first < game.states:
            first, game.record[0, REWARD, l] = 0, np.nan  # the run has failed
        into.state[l] = first


# --- choosing -----------------------------------------------------------------------------------------------------


def choose(game, row, shift, here, luck, out, aside):
    """Draw an action for the lanes shift, shift + 1, ..., which are `here`; `aside` keeps the luck of rules apart."""
    if RANKS:
        rank_lanes(game, row, shift, here, out.values, out.scratch, RANK + aside)
        values = out.values
    elif BANDIT and not VARIES:
        values = game.memory[0][0] if LANES_LAST else game.memory[0][:, 0].T
    elif BANDIT:
        copy_rows(game.memory[0][0] if LANES_LAST else game.memory[0][:, 0].T, out.values)
        forbid_here(game, row, shift, here, out.values, -np.inf)
        values = out.values
    else:
        gather(game.memory[0], shift, here.state, out.values)
        values = out.values
    warm(game, row, shift, here, values, out.temperature)
    seed, run, step = game.seed, game.run[shift : shift + out.action.size], game.first + row
    first, second = out.scratch[2], out.scratch[3]
    if CHOOSES:
        draw_for_choose(seed, run, step, CHOOSE + aside + MANY, out.many, first, second)
        decide_lanes(game, row, shift, here, values, luck, out, CHOOSE + aside)
    else:
        if DRAWS_ODDS:
            draw_odds_here(game, row, shift, here, out, PREFER + aside + MANY)
            values = out.preferences
            if HAS_ALLOWED:
                forbid_here(game, row, shift, here, out.preferences, -np.inf)
        if PREFERS:
            draw_for_prefer(seed, run, step, PREFER + aside + MANY, out.many, first, second)
            each_run(prefer, game, row, shift, here, out.preferences, values, out, PREFER + aside)
            values = out.preferences
            if HAS_ALLOWED:
                forbid_here(game, row, shift, here, out.preferences, -np.inf)
        if WEIGHS_LANES:
            weigh_lanes(values, out.temperature, out.weights, out.total, out.scratch[0], out.scratch[1])
        if WEIGHS:
            draw_for_weigh(seed, run, step, WEIGH + aside + MANY, out.many, first, second)
            each_run(weigh, game, row, shift, here, out.weights, values, out, WEIGH + aside)
            if HAS_ALLOWED:
                forbid_here(game, row, shift, here, out.weights, 0.0)
            add_up(out.weights, out.total)
        pick(out.weights, out.total, luck, first, second, out.action)


def warm(game, row, shift, here, values, temperature):
    """Fill the temperature of each lane: by the adaptive rule, or from the table of the schedule."""
    if ADAPTIVE:
        for l in range(temperature.size):
            adaptive, state = numbers(game.heat, row, game.config[shift + l]), from_front(here.state[l])
            temperature[l] = heat(adaptive, game, shift + l, values[:, l], state, here, l, game.first + row)
    elif HAS_TEMPERATURE and (game.moves or row < 2 or temperature.size == 1):  # else it is there, from the last step
        for l in range(temperature.size):
            temperature[l] = numbers(game.policy, row, game.config[shift + l]).temperature


def rank_lanes(game, row, shift, here, values, scratch, purpose):
    """Let the agent say what is ranked: run by run, then in all lanes."""
    for l in range(here.state.size):
        agent = numbers(game.agent, row, game.config[shift + l])
        luck = game.seed, game.run[shift + l], game.first + row, purpose
        rank(agent, game, shift + l, values[:, l], from_front(here.state[l]), here, l, game.first + row, luck)
    if RANKS_LANES:
        rank_stage(values, scratch[0], scratch[1], scratch[2])
    if HAS_ALLOWED:
        forbid_here(game, row, shift, here, values, -np.inf)


def forbid_here(game, row, shift, here, rows, nothing):
    """Write `nothing` where an action is not allowed: in this state, in this run's state, or at this step."""
    if VARIES:
        allowed = game.shared[ALLOWED]
        when = (game.first + row) % allowed.shape[0]
        for k in range(rows.shape[0]):
            if not allowed[when, k]:
                for l in range(rows.shape[1]):
                    rows[k, l] = nothing
    elif OWN_ALLOWED:
        for l in range(rows.shape[1]):
            for k in range(rows.shape[0]):
                if not game.memory[ALLOWED][shift + l, from_front(here.state[l]), k]:
                    rows[k, l] = nothing
    else:
        forbid(game.shared[ALLOWED], here.state, rows, nothing)


def each_run(rule, game, row, shift, here, into, values, out, purpose):
    """Apply a rule of the policy to each run."""
    for l in range(out.action.size):
        lane, warmth, step = shift + l, out.temperature[l], game.first + row
        luck = game.seed, game.run[lane], step, purpose
        policy, state = numbers(game.policy, row, game.config[lane]), from_front(here.state[l])
        rule(policy, game, lane, into[:, l], values[:, l], warmth, state, here, out.many, l, step, luck)


def draw_odds_here(game, row, shift, here, out, purpose):
    """Prefer odds that are drawn from the beta laws whose shapes the policy remembers of where each run is."""
    room, run, step = out.room, game.run[shift : shift + out.action.size], game.first + row
    if LANES_LAST:
        draw_odds(game.seed, run, step, purpose, game.memory[WON][0], game.memory[LOST][0], out.preferences, room)
    else:
        gather(game.memory[WON], shift, here.state, room.won)
        gather(game.memory[LOST], shift, here.state, room.lost)
        draw_odds(game.seed, run, step, purpose, room.won, room.lost, out.preferences, room)


def decide_lanes(game, row, shift, here, values, chance, out, purpose):
    """A policy that returns the action itself; it has no weights."""
    for l in range(out.action.size):
        lane = shift + l
        luck = game.seed, game.run[lane], game.first + row, purpose
        policy = numbers(game.policy, row, game.config[lane])
        changed = game.action[lane] if CHANGES_ONE and game.first + row > 0 else -1
        action = decide(
            policy,
            game,
            lane,
            game.memory[0][lane, 0] if IN_PLACE else values[:, l],
            changed,
            out.temperature[l],
            from_front(here.state[l]),
            here,
            out.many,
            l,
            chance[l],
            game.first + row,
            luck,
        )
        if GUARDS_ACTIONS and not 0 <= action < values.shape[0]:
            action, game.record[0, REWARD, lane] = 0, np.nan  # the run has failed
        out.action[l] = action


def look_beyond_cuts(game, row):
    """A cut episode bootstraps from where it was cut: ask the policy there, too (one lane at a time: cuts are rare)."""
    cut, out = game.cut, game.out
    for l in range(out.ended.size):
        if out.ended[l] and not out.terminated[l]:
            out.one[0] = unit(random_words(game.seed, game.run[l], game.first + row, CUT)[0])
            choose(game, row + 1, l, only(out.next, l), out.one, cut, ASIDE)
            out.next_action[l] = cut.action[0]
            if KEEPS_TEMPERATURE:
                out.next_temperature[l] = cut.temperature[0]
            if NEEDS_PROBABILITIES:
                for k in range(cut.weights.shape[0]):
                    out.probabilities[k, l] = cut.weights[k, 0] / cut.total[0]


# --- the world ----------------------------------------------------------------------------------------------------


def play_lanes(game, row):
    """Let the world answer; return whether any episode was cut by the limit."""
    out = game.out
    if USES_NORMAL:
        to_normals(out.chance, out.normal)
    scratch = game.now.scratch
    draw_for_move(game.seed, game.run, game.first + row, WORLD + MANY, out.many, scratch[2], scratch[3])
    for l in range(out.reward.size):
        env, step = numbers(game.env, row, game.config[l]), game.first + row
        luck = game.seed, game.run[l], step, WORLD
        state, action = from_front(game.here.state[l]), from_front(game.action[l])
        normal = out.normal[l] if USES_NORMAL else 0.0
        if HAS_REGRET:
            out.regret[l] = lose(env, game, l, state, action, step)
        if BANDIT:
            out.reward[l] = pull(env, game, l, 0, action, out.chance[l], normal, step, step, luck)
        else:
            move_lane(game, row, env, l, state, action, normal, luck)
        if COUNTS_VISITS and not LATE:
            count(0, game, l, state, action)
    return False if BANDIT else end_episodes(game, row)


def move_lane(game, row, env, l, state, action, normal, luck):
    """Take one step of one run."""
    out, age, step = game.out, game.age[l], game.first + row
    if BOX:
        reward, end = move(env, game, l, 0, action, out.chance[l], normal, age, step, luck)
        see(game, row, l, out.next)
    else:
        there, reward, end = move(env, game, l, state, action, out.chance[l], normal, age, step, luck)
        if GUARDS_STATES and not 0 <= there < game.states:
            there, reward = 0, np.nan  # the run has failed, and writes nothing where another one is
        out.next.state[l] = there
    out.reward[l], out.terminated[l] = reward, end


def end_episodes(game, row):
    """Note the episodes that are over and start new ones; return whether any was cut."""
    out, any_cut = game.out, False
    tally(out.reward, out.terminated, game.limit, game.age, game.gain, out.ended)
    copy_place(out.next, out.resume)
    for l in range(out.ended.size):
        if STEPPED:
            out.ended[l] |= out.told.cut[l]
        if out.ended[l]:
            env, step = numbers(game.env, row, game.config[l]), game.first + row
            note_episode(game.record[game.bin[row]], env, game, l)
            begin(game, row + 1, l, step + 1, out.resume)
            any_cut |= not out.terminated[l]
    return any_cut


def note_episode(record, env, game, l):
    """Count the episode that run l has just ended."""
    out = game.out
    record[EPISODES, l] += 1.0
    record[RETURN, l] += game.gain[l]
    record[LENGTH, l] += game.age[l]
    if HAS_SUCCESS:
        good = succeed(env, game, l, out.reward[l], out.terminated[l], from_front(out.next.state[l]))
        record[SUCCESS, l] += 1.0 if good else 0.0
    game.age[l], game.gain[l] = 0, 0.0


def keep_record(game, row):
    """Add this step's numbers to the sums of its bin."""
    record = game.record[game.bin[row]]
    accumulate(record[REWARD], game.out.reward)
    if HAS_REGRET:
        accumulate(record[REGRET], game.out.regret)
        count_optimal(game.out.regret, record[OPTIMAL])


# --- learning -----------------------------------------------------------------------------------------------------


def learn_lanes(game, row):
    """Let every run learn from its step."""
    now, out, step = game.now, game.out, game.first + row
    draw_for_learn(game.seed, game.run, step, LEARN + MANY, out.many, now.scratch[2], now.scratch[3])
    if LOOKS_AT_NEXT:
        look_at_next(game, row)
    for l in range(out.reward.size):
        agent = numbers(game.agent, row, game.config[l])
        luck = game.seed, game.run[l], step, LEARN
        state, action = from_front(game.here.state[l]), from_front(game.action[l])
        terminated = True if BANDIT else out.terminated[l]
        ended = True if BANDIT else out.ended[l]
        next_state = 0 if BANDIT else from_front(out.next.state[l])
        next_action = from_front(out.next_action[l]) if LOOKS_AHEAD else 0
        temperature = out.temperature[l] if LOOKS_AHEAD and KEEPS_TEMPERATURE else now.temperature[l]
        next_temperature = warmth_ahead(game, row, l) if NEEDS_NEXT_TEMPERATURE else temperature
        probabilities = out.probabilities[:, l] if NEEDS_PROBABILITIES else None
        next_worth = out.worth[l] if LOOKS_AT_NEXT else 0.0
        before = value_now(0, game, l, state, action) if OBSERVES else 0.0
        learn(
            agent, game, l, state, action, out.reward[l], next_state, next_action, terminated, ended,
            probabilities, temperature, next_temperature, next_worth, step, luck,
        )  # fmt: skip
        if OBSERVES:
            change = value_now(0, game, l, state, action) - before
            observe_lane(game, row, l, state, action, out.reward[l], change, terminated, ended, step)


def look_at_next(game, row):
    """Let the agent's stage say what the states are worth to which this step has led."""
    values, worth, scratch = game.now.values, game.out.worth, game.now.scratch
    for l in range(worth.size):
        next_temperature = warmth_ahead(game, row, l) if SOFTENS_BY_TEMPERATURE else 0.0
        scratch[2, l] = soften(numbers(game.agent, row, game.config[l]), game, l, next_temperature)
    gather(game.memory[0], 0, game.out.next.state, values)
    worth_stage(values, scratch[2], game.out.ahead, scratch[0], worth, scratch[1])


def keep_for_later(game, row):
    """Put this step's pull into its slot of the ring."""
    late, out, now = game.late, game.out, game.now
    slot = (game.first + row) % late.action.shape[0]
    for l in range(out.reward.size):
        late.action[slot, l], late.reward[slot, l] = game.action[l], out.reward[l]
        if KEEPS_TEMPERATURE:
            temperature = out.temperature[l] if LOOKS_AHEAD else now.temperature[l]
            late.temperature[slot, l] = temperature
            late.next_temperature[slot, l] = warmth_ahead(game, row, l) if NEEDS_NEXT_TEMPERATURE else temperature
        if NEEDS_PROBABILITIES:
            for k in range(out.probabilities.shape[0]):
                late.probabilities[slot, k, l] = out.probabilities[k, l]


def learn_late(game, row):
    """Learn, in order, from the pulls whose rewards arrive now: `delay` steps late, `batch` at a time."""
    step = game.first + row
    for l in range(game.run.size):
        env = numbers(game.env, row, game.config[l])
        if (step + 1) % env.batch == 0:
            for pulled in range(max(step + 1 - env.batch - env.delay, 0), step + 1 - env.delay):
                learn_one_late(game, row, l, pulled)


def learn_one_late(game, row, l, pulled):
    """Learn from the pull of an earlier step, with the numbers of this one; `visits` counts what was learned from."""
    late, step, slot = game.late, game.first + row, pulled % game.late.action.shape[0]
    agent, luck = numbers(game.agent, row, game.config[l]), (game.seed, game.run[l], pulled, LEARN)
    action, reward = from_front(late.action[slot, l]), late.reward[slot, l]
    temperature = late.temperature[slot, l] if KEEPS_TEMPERATURE else 0.0
    next_temperature = late.next_temperature[slot, l] if KEEPS_TEMPERATURE else 0.0
    probabilities = late.probabilities[slot, :, l] if NEEDS_PROBABILITIES else None
    if DRAWS_TO_LEARN:
        only_l, many, scratch = slice(l, l + 1), game.out.many, game.now.scratch
        first, second = scratch[2, only_l], scratch[3, only_l]
        draw_for_learn(game.seed, game.run[only_l], pulled, LEARN + MANY, many[:, only_l], first, second)
    if COUNTS_VISITS:
        count(0, game, l, 0, action)
    before = value_now(0, game, l, 0, action) if OBSERVES else 0.0
    learn(
        agent, game, l, 0, action, reward, 0, 0, True, True, probabilities, temperature, next_temperature, 0.0, step,
        luck,
    )  # fmt: skip
    if OBSERVES:
        change = value_now(0, game, l, 0, action) - before
        observe_lane(game, row, l, 0, action, reward, change, True, True, pulled)


def warmth_ahead(game, row, l):
    """Return the temperature of the next step, at the state it starts from, before this update."""
    if LOOKS_AHEAD:
        return game.out.next_temperature[l]
    if ADAPTIVE:
        there, step = game.here if BANDIT else game.out.next, game.first + row + 1
        value_ahead(game, row, l, there)
        adaptive, values = numbers(game.heat, row + 1, game.config[l]), game.now.values[:, l]
        return heat(adaptive, game, l, values, from_front(there.state[l]), there, l, step)
    return numbers(game.policy, row + 1, game.config[l]).temperature


def value_ahead(game, row, l, there):
    """Write what run l ranks where it goes next; the values of this step's choice are no longer needed."""
    values, memory, state = game.now.values, game.memory[0], from_front(there.state[l])
    if RANKS:
        agent, step = numbers(game.agent, row, game.config[l]), game.first + row + 1
        rank(agent, game, l, values[:, l], state, there, l, step, (game.seed, game.run[l], step, RANK + ASIDE))
        if RANKS_LANES:
            only_l, scratch = slice(l, l + 1), game.now.scratch
            rank_stage(values[:, only_l], scratch[0, only_l], scratch[1, only_l], scratch[2, only_l])
    else:
        for k in range(values.shape[0]):
            values[k, l] = memory[state, k, l] if LANES_LAST else memory[l, state, k]


def observe_lane(game, row, l, state, action, reward, change, terminated, ended, step):
    """Tell the policy and the adaptive temperature what run l has learned."""
    if POLICY_OBSERVES:
        luck, policy = (game.seed, game.run[l], step, OBSERVE), numbers(game.policy, row, game.config[l])
        watch(policy, game, l, state, action, reward, change, terminated, ended, step, luck)
    if HEAT_OBSERVES:
        luck, adaptive = (game.seed, game.run[l], step, SENSE), numbers(game.heat, row, game.config[l])
        sense(adaptive, game, l, state, action, reward, change, terminated, ended, step, luck)


def survey(game, here, luck, out, weights):
    """Write what the policy would weigh now, [state, action, lane], if every run were in each of the states."""
    for s in range(weights.shape[0]):
        for l in range(here.state.size):
            here.state[l] = s
        choose(game, 0, 0, here, luck, out, 0)
        copy_rows(out.weights, weights[s])


# --- small rules of the loop's own, bound like those of a component -------------------------------------------------


def increment(self, visits, state, action):
    """Count a visit."""
    visits[state, action] += 1.0


def entry(self, array, state, action):
    """Return one entry of the array that is ranked."""
    return array[state, action]


def told_move(self, there, reward, terminated):
    """Return what a stepped world answered."""
    return there, reward, terminated


def told_start(self, first):
    """Return the state in which a stepped world began its next episode."""
    return first


def take(self, observation, into):
    """Copy what the world shows."""
    copy(observation, into)
