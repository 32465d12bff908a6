"""What the text of a rule tells of what it writes: nothing is believed that is not so."""

import cases
import numpy as np
import pytest

from rlsoftmax import shelf
from rlsoftmax.contracts import highest
from rlsoftmax.engine.fuse import linked
from rlsoftmax.engine.writes import writes_one
from rlsoftmax.policies.boltzmann_tree import BoltzmannTree


def bump(row, k):
    row[k] += 1.0


def mean_of(row):
    total = 0.0
    for k in range(row.size):
        total += row[k]
    return total / row.size


def twice_the_mean(row):
    return 2.0 * mean_of(row)


def forever(row):
    return forever(row)


# --- rules that write the value of the action played, and no other ----------------------------------------------------


def plain(self, value, state, action, reward):
    value[state, action] += reward


def looks_around(self, value, state, action, reward, next_state, next_action):
    best = highest(value[next_state]) + value[next_state, next_action] + value.shape[1] + value[state].size
    value[state, action] = best + twice_the_mean(value[state])


def writes_elsewhere(self, value, other, state, action):
    value[state, action] = 0.0
    other[0, 0] = value[0, 0]
    bump(other, 0)


# --- rules of which that is not known, or not so ----------------------------------------------------------------------


def another_action(self, value, state, action):
    value[state, action - 1] = 0.0


def the_other_way_round(self, value, state, action):
    value[action, state] = 0.0


def a_row(self, value, state, action):
    value[state] = 0.0


def a_slice(self, value, state, action):
    value[state, :] = 0.0


def by_a_helper(self, value, state, action):
    bump(value[state], 1)


def by_a_helper_of_all(self, value, state, action):
    bump(value, (0, 0))


def by_another_name(self, value, state, action):
    mine = value
    mine[0, 0] = 1.0


def by_a_view(self, value, state, action):
    row = value[state]
    row[0] = 1.0


def by_a_slice_handed_on(self, value, state, action):
    bump(value[state, 0:2], 1)


def of_another_action(self, value, state, action):
    for action in range(2):
        value[state, action] = 0.0


def of_another_state(self, value, state, action):
    state = 0
    value[state, action] = 0.0


def by_keyword(self, value, state, action):
    bump(row=value[state], k=0)


def by_method(self, value, state, action):
    value.fill(0.0)


def by_something_unknown(self, value, state, action):
    np.copyto(value, 0.0)


def in_a_circle(self, value, state, action):
    forever(value[state])


KNOWN = [plain, looks_around, writes_elsewhere]
UNKNOWN = [
    another_action, the_other_way_round, a_row, a_slice, by_a_helper, by_a_helper_of_all, by_another_name, by_a_view,
    by_a_slice_handed_on, of_another_action, of_another_state, by_keyword, by_method, by_something_unknown, in_a_circle,
]  # fmt: skip


@pytest.mark.parametrize("rule", KNOWN, ids=lambda rule: rule.__name__)
def test_a_rule_that_writes_one_entry_is_believed(rule):
    assert writes_one(rule, "value")


@pytest.mark.parametrize("rule", UNKNOWN, ids=lambda rule: rule.__name__)
def test_a_rule_that_may_write_others_is_not(rule):
    assert not writes_one(rule, "value")


def test_a_rule_without_text_is_not_believed():
    space = {}
    exec("def learn(self, value, state, action):\n    value[state, action] = 0.0", space)
    assert not writes_one(space["learn"], "value")
    assert not writes_one(len, "value")


# --- what is believed of the agents on the shelf is so ----------------------------------------------------------------


def believed():
    """Return the agents of which the engine thinks that they change one value per step of a bandit."""
    setups = {name: cases.setup_of(shelf.find("agent", name)(), BoltzmannTree(), cases.ARMS) for name in agents()}
    return [name for name, setup in setups.items() if setup.kind.changes_one]


def agents():
    """Return the agents that can do without probabilities."""
    return [n for n in shelf.names("agent") if cases.fits(shelf.find("agent", n)(), BoltzmannTree(), cases.ARMS)]


def test_some_are_believed_and_some_are_not():
    assert {"sample_average", "constant_step", "q_learning", "dual_rate"} <= set(believed())
    assert {"forgetting", "choice_kernel", "double_q", "sarsa"} <= set(agents()) - set(believed())


@pytest.mark.parametrize("name", believed())
def test_a_step_changes_no_value_but_that_of_the_action_played(name):
    block = cases.block_of([cases.setup_of(shelf.find("agent", name)(), BoltzmannTree(), cases.ARMS)], [(0, 0), (0, 1)])
    kernel, changes = linked(block.kind, {}), 0
    for step in range(40):
        before = block.values().copy()
        block.play(kernel, step + 1)
        lane, _, action = np.nonzero(block.values() != before)
        assert np.array_equal(action, block.action[lane])
        changes += len(lane)
    assert changes > 10


def test_late_rewards_are_not_believed():
    env = cases.GaussianBandit(arms=4, delay=1)
    assert not cases.setup_of(cases.SampleAverage(), BoltzmannTree(), env).kind.changes_one
