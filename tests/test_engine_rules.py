"""A wrong rule is refused before it runs, in one sentence that names file, line and rule."""

import math
import re

import cases
import numpy as np
import pytest

from rlsoftmax import numeric
from rlsoftmax.agents.expected_sarsa import ExpectedSarsa
from rlsoftmax.agents.q_learning import QLearning
from rlsoftmax.agents.sarsa import Sarsa
from rlsoftmax.contracts import Agent, Environment, Policy, Schedule
from rlsoftmax.engine.prepare import prepare, rehearse
from rlsoftmax.engine.stages import soft_maximum
from rlsoftmax.errors import ConfigError
from rlsoftmax.policies.boltzmann import Boltzmann
from rlsoftmax.policies.greedy import Greedy
from rlsoftmax.schedules.count_based import CountBased

Q, SOFT, CHAIN = QLearning(), Boltzmann(), cases.CHAIN
TABLE = {"a": 1.0}


def values(self, states, actions):
    return {"value": np.zeros((states, actions))}


def makes(size):
    return np.zeros(size)


def throws_dice():
    return np.random.random()


def grows(x):
    return np.exp(x)


# Each of the functions below returns (agent, policy, environment) with one mistake, and is followed by what is said.

REFUSED = {}


def refused(message):
    """Note a function that builds something wrong, and the sentence it must lead to."""

    def note(build):
        REFUSED[build.__name__] = build, message
        return build

    return note


@refused("in Mine.learn asks for 'values', which is not on offer. Did you mean 'value'?")
def a_name_that_is_not_on_offer():
    class Mine(Agent):
        memory = values

        def learn(self, values, state, action, reward):
            values[state, action] = reward

    return Mine(), SOFT, CHAIN


@refused("in Mine.learn: self.alfa is not one of its numbers. Did you mean 'alpha'?")
def an_unknown_field():
    class Mine(Agent):
        alpha: float = 0.1
        memory = values

        def learn(self, value, state, action, reward):
            value[state, action] += self.alfa * reward

    return Mine(), SOFT, CHAIN


@refused("in Mine.learn: self.target is a method, which a rule cannot call; make it a function outside.")
def a_method_of_its_own():
    class Mine(Agent):
        memory = values

        def target(self, reward):
            return reward

        def learn(self, value, state, action, reward):
            value[state, action] += self.target(reward)

    return Mine(), SOFT, CHAIN


@refused("in Mine.learn: self.mode is not a number; a rule reads numbers, true or false, and IntEnums.")
def a_word_as_a_field():
    class Mine(Agent):
        mode: str = "fast"
        memory = values

        def learn(self, value, state, action, reward):
            value[state, action] += 1.0 if self.mode == "fast" else 0.0

    return Mine(), SOFT, CHAIN


@refused("in Mine.learn: self.rate is not a number; a rule reads numbers, true or false, and IntEnums.")
def a_number_or_none():
    class Mine(Agent):
        rate: float | None = None
        memory = values

        def learn(self, value, state, action, reward):
            value[state, action] += self.rate

    return Mine(), SOFT, CHAIN


@refused("in Mine.learn: alpha cannot be changed in a rule; what changes is in `memory`.")
def a_field_that_is_changed():
    class Mine(Agent):
        alpha: float = 0.1
        memory = values

        def learn(self, value, state, action, reward):
            self.alpha = 0.5 * self.alpha

    return Mine(), SOFT, CHAIN


@refused("asks for 'vists', which is not on offer. Known: action")
def a_misspelt_argument_with_a_default():
    class Mine(Agent):
        memory = values

        @property
        def absent(self):
            return ("visits",)

        def learn(self, value, state, action, vists=None):
            value[state, action] += 1.0

    return Mine(), SOFT, CHAIN


@refused("in Mine.learn: uses a random module; ask for `uniform`, `normal` or `luck` instead")
def a_random_module():
    class Mine(Agent):
        memory = values

        def learn(self, value, state, action, reward):
            value[state, action] += np.random.random()

    return Mine(), SOFT, CHAIN


@refused("in throws_dice: uses a random module")
def a_random_module_in_a_helper():
    class Mine(Agent):
        memory = values

        def learn(self, value, state, action, reward):
            value[state, action] += throws_dice()

    return Mine(), SOFT, CHAIN


@refused("in Mine.weigh: numpy.exp differs between machines in the last bit; use `from rlsoftmax import exp`.")
def numpys_exp():
    class Mine(Policy):
        def weigh(self, weights, values):
            for k in range(values.size):
                weights[k] = np.exp(values[k])

    return Q, Mine(), CHAIN


@refused("in grows: numpy.exp differs between machines in the last bit; use `from rlsoftmax import exp`.")
def numpys_exp_in_a_helper():
    class Mine(Agent):
        memory = values

        def learn(self, value, state, action, reward):
            value[state, action] += grows(reward)

    return Mine(), SOFT, CHAIN


@refused("in Mine.weigh: math.log differs between machines in the last bit; use `from rlsoftmax import log`.")
def maths_log():
    class Mine(Policy):
        def weigh(self, weights, values):
            for k in range(values.size):
                weights[k] = math.log(2.0 + values[k])

    return Q, Mine(), CHAIN


@refused("in Mine.weigh: `**` differs between machines in the last bit; use x * x, or `from rlsoftmax import power`.")
def two_stars():
    class Mine(Policy):
        def weigh(self, weights, values):
            for k in range(values.size):
                weights[k] = values[k] ** 2

    return Q, Mine(), CHAIN


@refused("in Mine.learn: index 7 is out of bounds for axis 0 with size 3.")
def an_index_out_of_range():
    class Mine(Agent):
        memory = values

        def learn(self, value, state, action, reward):
            value[state + 7, action] = reward

    return Mine(), SOFT, CHAIN


@refused("in Mine.learn: index -1 is below 0.")
def an_index_below_zero():
    class Mine(Agent):
        memory = values

        def learn(self, value, state, action, reward):
            value[state - 1, action] = reward

    return Mine(), SOFT, CHAIN


@refused("in Mine.weigh: index -1 is below 0.")
def an_index_below_zero_among_the_weights():
    class Mine(Policy):
        def weigh(self, weights, values):
            for k in range(values.size):
                weights[k - 1] = 1.0

    return Q, Mine(), CHAIN


@refused("in Mine.weigh: writes into an array that it may only read.")
def a_policy_that_changes_the_values():
    class Mine(Policy):
        def weigh(self, weights, values):
            values[0] = 0.0

    return Q, Mine(), cases.ARMS


@refused("in Mine.choose: writes into an array that it may only read.")
def a_choice_that_changes_the_values():
    class Mine(Policy):
        def choose(self, values, uniform):
            values[0] = 0.0
            return 0

    return Q, Mine(), cases.ARMS


@refused("in Mine.step: writes into an array that it may only read.")
def an_environment_that_changes_what_all_runs_read():
    class Mine(Environment):
        states, actions, limit = 2, 2, 5

        def shared(self):
            return {"pay": np.ones(2)}

        def start(self):
            return 0

        def step(self, pay, state, action):
            pay[0] += 1.0
            return 0, pay[0], False

    return Q, SOFT, Mine()


@refused("in Mine.choose: returns [0.0, 0.0], not an action in 0..1.")
def a_choice_that_is_an_array():
    class Mine(Policy):
        def choose(self, values):
            return values

    return Q, Mine(), CHAIN


@refused("in Mine.choose: returns 2, not an action in 0..1.")
def a_choice_that_is_no_action():
    class Mine(Policy):
        def choose(self, values):
            return values.size

    return Q, Mine(), CHAIN


@refused("in Mine.weigh: returns something; it changes the arrays that it asks for.")
def weights_that_are_returned():
    class Mine(Policy):
        def weigh(self, weights, values):
            return values

    return Q, Mine(), CHAIN


@refused("in Mine.weigh: fills weights with [0.0, 0.0]: one of them must be above 0.")
def weights_that_are_all_zero():
    class Mine(Policy):
        def weigh(self, weights, values):
            for k in range(weights.size):
                weights[k] = 0.0

    return Q, Mine(), CHAIN


@refused("in Mine.weigh: fills weights with [1.0, nan]: an entry is missing or NaN.")
def weights_that_are_forgotten():
    class Mine(Policy):
        def weigh(self, weights):
            weights[0] = 1.0

    return Q, Mine(), CHAIN


@refused("in Mine.weigh: fills weights with [-1.0, -1.0]: a weight is >= 0 and finite.")
def weights_below_zero():
    class Mine(Policy):
        def weigh(self, weights, values):
            for k in range(weights.size):
                weights[k] = -1.0

    return Q, Mine(), CHAIN


@refused("in Mine.prefer: fills preferences with [nan, nan]: an entry is missing or NaN.")
def preferences_that_are_forgotten():
    class Mine(Policy):
        temperature: float = 1.0
        weigh_lanes = staticmethod(Boltzmann.weigh_lanes)

        def prefer(self, preferences, values):
            pass

    return Q, Mine(), CHAIN


@refused("in Mine.learn: leaves a number in its memory that is not finite.")
def a_value_that_is_not_finite():
    class Mine(Agent):
        memory = values

        def learn(self, value, state, action, reward):
            value[state, action] = (reward - reward) / (reward - reward)

    return Mine(), SOFT, CHAIN


@refused("in Mine.learn: name 'nowhere' is not defined.")
def an_undefined_helper():
    class Mine(Agent):
        memory = values

        def learn(self, value, state, action, reward):
            value[state, action] += nowhere(reward)  # noqa: F821

    return Mine(), SOFT, CHAIN


@refused("Mine has an array 'reward', but that is what the loop offers by this name; rename it.")
def an_array_named_like_an_offer():
    class Mine(Agent):
        def memory(self, states, actions):
            return {"reward": np.zeros((states, actions))}

        def learn(self, reward, state, action):
            reward[state, action] += 1.0

    return Mine(), SOFT, CHAIN


@refused("Mine has an array 'visits', but that is what the loop offers by this name; rename it.")
def an_array_named_visits():
    class Mine(Agent):
        def memory(self, states, actions):
            return {"value": np.zeros((states, actions)), "visits": np.zeros((states, actions))}

        def learn(self, value, visits, state, action):
            visits[state, action] += 1.0

    return Mine(), SOFT, CHAIN


@refused("QLearning and Mine both remember 'value'; rename one.")
def an_array_of_two_parts():
    class Mine(Policy):
        def memory(self, states, actions):
            return {"value": np.zeros((states, actions))}

        def weigh(self, weights, value):
            weights[:] = 1.0

    return Q, Mine(), CHAIN


@refused("the environment both owns and shares an array 'mean'; rename one.")
def an_array_that_an_environment_has_twice():
    class Twice(cases.GaussianBandit):
        def shared(self):
            return {"mean": np.zeros(10)}

    return cases.SampleAverage(), SOFT, Twice()


@refused("agent Mine has no `memory`, and the policy ranks its first array.")
def an_agent_without_memory():
    class Mine(Agent):
        def learn(self, state, action, reward):
            pass

    return Mine(), SOFT, CHAIN


@refused("Mine.memory: the policy ranks 'value', which must have the shape (states, actions) = (3, 2), not (2, 3)")
def a_memory_the_wrong_way_round():
    class Mine(Agent):
        def memory(self, states, actions):
            return {"value": np.zeros((actions, states))}

        def learn(self, value, state, action, reward):
            value[action, state] += reward

    return Mine(), SOFT, CHAIN


@refused("agent Mine has no rule `learn`.")
def no_learn():
    class Mine(Agent):
        memory = values

    return Mine(), SOFT, CHAIN


@refused("policy Mine has neither `weigh_lanes` nor a rule `weigh` or `choose`.")
def a_policy_without_rules():
    class Mine(Policy):
        pass

    return Q, Mine(), CHAIN


@refused("in Mine.learn: learns from the temperature, and policy Greedy has none.")
def a_temperature_that_is_not_there():
    class Mine(Agent):
        memory = values

        def learn(self, value, state, action, next_temperature):
            value[state, action] += next_temperature

    return Mine(), Greedy(), CHAIN


@refused("in Mine.softness: learns from the temperature, and policy Greedy has none.")
def a_softness_that_is_not_there():
    class Mine(Agent):
        memory = values
        worth_lanes = staticmethod(soft_maximum)

        def softness(self, next_temperature):
            return next_temperature

        def learn(self, value, state, action, next_worth):
            value[state, action] += next_worth

    return Mine(), Greedy(), CHAIN


@refused("Mine.memory: `worth_lanes` reads 'extra', which must have the shape (states, actions) = (3, 2), not (2,).")
def a_worth_of_something_else():
    class Mine(Agent):
        worth_lanes = staticmethod(soft_maximum)

        def memory(self, states, actions):
            return {"extra": np.zeros(actions), "value": np.zeros((states, actions))}

        def rank(self, values, value, state):
            values[0] = value[state, 0]

        def softness(self):
            return 1.0

        def learn(self, value, state, action, next_worth):
            value[state, action] += next_worth

    return Mine(), SOFT, CHAIN


@refused("in Mine.learn asks for `next_worth`: it takes a stage `worth_lanes` and a rule `softness`.")
def a_worth_that_nobody_finds():
    class Mine(Agent):
        memory = values

        def learn(self, value, state, action, next_worth):
            value[state, action] += next_worth

    return Mine(), SOFT, CHAIN


@refused("in Mine.learn may ask for `probabilities` or for what comes next, not for both.")
def probabilities_of_now_and_next():
    class Mine(Agent):
        memory = values

        def learn(self, value, probabilities, next_action):
            pass

    return Mine(), SOFT, CHAIN


@refused("environment Mine needs the rule `pull`, or `start` and `step`; it has step.")
def an_environment_without_a_start():
    class Mine(Environment):
        states, actions = 2, 2

        def step(self, state, action):
            return 0, 1.0, False

    return Q, SOFT, Mine()


@refused("environment Mine has no `states`; observations that are not numbered cannot be played so far.")
def an_environment_without_states():
    class Mine(Environment):
        actions, limit = 2, 5

        def own(self, luck):
            return {"observation": np.zeros(2)}

        def start(self, observation, uniform):
            observation[0] = uniform

        def step(self, observation, action):
            observation[0] += action
            return 1.0, False

    return Q, SOFT, Mine()


@refused("environment Mine does not say how many `actions` there are.")
def an_environment_without_actions():
    class Mine(Environment):
        def pull(self, action):
            return 1.0

    return Q, SOFT, Mine()


@refused("in Mine.step: returns (0, 1.0), not (next state, reward, terminated).")
def a_step_of_two():
    class Mine(Environment):
        states, actions = 2, 2

        def start(self):
            return 0

        def step(self, state, action):
            return 0, 1.0

    return Q, SOFT, Mine()


@refused("in Mine.step: returns 2, not a state in 0..1.")
def a_step_to_nowhere():
    class Mine(Environment):
        states, actions = 2, 2

        def start(self):
            return 0

        def step(self, state, action):
            return state + 1, 1.0, False

    return Q, SOFT, Mine()


@refused("in Mine.start: returns 5, not a state in 0..1.")
def a_start_nowhere():
    class Mine(Environment):
        states, actions = 2, 2

        def start(self):
            return 5

        def step(self, state, action):
            return 0, 1.0, False

    return Q, SOFT, Mine()


@refused("in Mine.pull: returns nan, not a finite number.")
def a_reward_that_is_no_number():
    class Mine(Environment):
        actions = 2

        def pull(self, action):
            return np.nan

    return Q, SOFT, Mine()


@refused("in Mine.__call__: numpy.exp differs between machines in the last bit; use `from rlsoftmax import exp`.")
def a_schedule_with_numpys_exp():
    class Mine(Schedule):
        def __call__(self, step):
            return np.exp(-step)

    return Q, Boltzmann(temperature=Mine()), CHAIN


@refused("in Mine.__call__: `**` differs between machines in the last bit")
def a_schedule_with_two_stars():
    class Mine(Schedule):
        def __call__(self, step):
            return 2.0**-step

    return Q, Boltzmann(temperature=Mine()), CHAIN


@refused("in Mine.__call__: asks whether an array is true; a rule gets numbers, a schedule an array of steps.")
def a_schedule_that_branches():
    class Mine(Schedule):
        def __call__(self, step):
            return 1.0 if step < 10 else 0.1

    return Q, Boltzmann(temperature=Mine()), CHAIN


@refused("in Mine.__call__: returns 1.0, not an array of one number per step, like `step`.")
def a_schedule_that_returns_one_number():
    class Mine(Schedule):
        def __call__(self, step):
            return 1.0

    return Q, Boltzmann(temperature=Mine()), CHAIN


@refused("in Mine.__call__: returns -1.0 at step 2; temperature must be >= 0.")
def a_schedule_below_zero():
    class Mine(Schedule):
        def __call__(self, step):
            return 1.0 - step

    return Q, Boltzmann(temperature=Mine()), CHAIN


@refused("in Mine.temperature: returns -1.0; a temperature is a number >= 0.")
def an_adaptive_temperature_below_zero():
    class Mine(Schedule):
        def temperature(self, visits, state):
            return 1.0 - visits[state, 0] - visits[state, 1]

    return Q, Boltzmann(temperature=Mine()), CHAIN


BY_THE_COMPILER = {}


def refused_by_the_compiler(message):
    """Note a function whose mistake only the compiler sees."""

    def note(build):
        BY_THE_COMPILER[build.__name__] = build, message
        return build

    return note


@refused_by_the_compiler("in Mine.learn uses a dict, which cannot be compiled; numbers, arrays and functions can.")
def a_dictionary():
    class Mine(Agent):
        memory = values

        def learn(self, value, state, action, reward):
            value[state, action] += TABLE["a"]

    return Mine(), SOFT, CHAIN


@refused_by_the_compiler("reaches rlsoftmax.numeric.exp through its module; write `from rlsoftmax.numeric import exp`.")
def a_function_behind_a_module():
    class Mine(Agent):
        memory = values

        def learn(self, value, state, action, reward):
            value[state, action] += numeric.exp(-reward)

    return Mine(), SOFT, CHAIN


@refused_by_the_compiler(
    "in Mine.learn: np.zeros makes an array, which a rule cannot; ask for one that `memory` returns."
)
def an_array_made_in_a_rule():
    class Mine(Agent):
        memory = values

        def learn(self, value, state, action, reward):
            trace = np.zeros(3)
            value[state, action] += reward + trace[0]

    return Mine(), SOFT, CHAIN


@refused_by_the_compiler("in makes: np.zeros makes an array, which a rule cannot")
def an_array_made_in_a_helper():
    class Mine(Agent):
        memory = values

        def learn(self, value, state, action, reward):
            value[state, action] += makes(3)[0]

    return Mine(), SOFT, CHAIN


@refused_by_the_compiler("in Mine.learn: x is sometimes a number and sometimes an array.")
def a_name_of_two_types():
    class Mine(Agent):
        memory = values

        def learn(self, value, state, action, reward):
            if reward > 0.0:
                x = value[state]
            else:
                x = 0.0
            value[state, action] += x[0] if reward > 0.0 else reward

    return Mine(), SOFT, CHAIN


@refused_by_the_compiler(
    "in Mine.learn: .max() of an array cannot be compiled in a rule; loop over its numbers, or `from"
)
def a_method_of_an_array():
    class Mine(Agent):
        memory = values

        def learn(self, value, state, action, reward):
            value[state, action] += value[state].max() - value[state].max()

    return Mine(), SOFT, CHAIN


@refused_by_the_compiler(
    "in Mine.learn: makes a list or an array, which a rule cannot; loop over the numbers, or ask for"
)
def a_list():
    class Mine(Agent):
        memory = values

        def learn(self, value, state, action, reward):
            value[state, action] += reward - sum([0.0 for _ in value[state]])

    return Mine(), SOFT, CHAIN


def said_about(build):
    """Return what is said about the three parts, on the road that a study takes."""
    try:
        setup = cases.setup_of(*build())
        rehearse(setup)
        prepare(setup)
    except ConfigError as error:
        return str(error)
    return "nothing"


def is_one_sentence(text):
    """Whether a message is one line, ends with a full stop, and has no word of the compiler's own."""
    words = re.search(r"Traceback|nopython|numba|dispatcher|0x[0-9a-f]+|<locals>|NoneType|lambda", text, re.IGNORECASE)
    return "\n" not in text and text.endswith(".") and not words and len(text) < 400


@pytest.mark.parametrize("name", REFUSED)
def test_a_wrong_rule_is_refused_in_one_sentence(name):
    build, message = REFUSED[name]
    said = said_about(build)
    assert message in said
    assert is_one_sentence(said)
    if " in Mine." in message:
        first, last = build.__code__.co_firstlineno, build.__code__.co_firstlineno + 30
        line = int(re.match(r"test_engine_rules\.py:(\d+) in ", said)[1])
        assert first < line < last


@pytest.mark.compiled
@pytest.mark.parametrize("name", BY_THE_COMPILER)
def test_what_only_the_compiler_sees_is_refused_in_one_sentence_too(name):
    build, message = BY_THE_COMPILER[name]
    said = said_about(build)
    assert message in said
    assert is_one_sentence(said)
    assert re.match(r"test_engine_rules\.py:\d+ in ", said)


@pytest.mark.parametrize("case", cases.cover(), ids=str)
def test_what_is_shipped_passes_the_rehearsal(case):
    rehearse(case.setups[0])


@pytest.mark.compiled
def test_debug_finds_an_index_that_the_rehearsal_does_not_reach():
    class Late(Agent):
        memory = values

        def learn(self, value, state, action, reward, step):
            value[state + (3 if step == 50 else 0), action] = reward

    setup = cases.setup_of(Late(), SOFT, CHAIN)
    rehearse(setup)
    block = cases.block_of([setup], [(0, 0)])
    with pytest.raises(IndexError):
        block.play(prepare(setup, debug=True))


def test_a_rule_can_be_called_without_the_engine():
    value = np.zeros((2, 2))
    QLearning(alpha=0.5).learn(value, 0, 1, 1.0, 1, False)
    assert value.tolist() == [[0.0, 0.5], [0.0, 0.0]]


@pytest.mark.parametrize("agent", [QLearning, Sarsa, ExpectedSarsa])
def test_visits_are_counted_only_where_somebody_asks_for_them(agent):
    """A fixed step size does without; the step size, the temperature, or a rule without a default may want them."""
    cooled = Boltzmann(temperature=CountBased(2.0))
    setups = {
        "fixed": cases.setup_of(agent(), SOFT, CHAIN),
        "visits": cases.setup_of(agent(step_size="visits"), SOFT, CHAIN),
        "temperature": cases.setup_of(agent(), cooled, CHAIN),
    }
    counted = {why: "visits" in setup.kind.names.mind for why, setup in setups.items()}
    assert counted == {"fixed": False, "visits": True, "temperature": True}
