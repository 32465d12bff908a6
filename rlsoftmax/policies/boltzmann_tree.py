"""Boltzmann exploration over very many actions: sums in a tree instead of a pass over all of them."""

import numpy as np

from rlsoftmax.component import Temperature
from rlsoftmax.contracts import Policy
from rlsoftmax.numeric import JUST_BELOW_ONE, decay, random_words, unit

CHILDREN = 8
FAR, FAINT = 600.0, 1e-200  # a weight above e^600, or a sum of all below 1e-200: time for another reference
RANGE = 30.0  # a tree at most so many units of exp colder than needed has all actions that matter
PRICE = 128.0  # actions that are weighed anew in the time of one proposal (measured)
SCALE, REFERENCE, HIGHEST, LOWEST, WASTED = range(5)  # what is known of a tree, besides its sums


class BoltzmannTree(Policy):
    """Choose action a with probability proportional to exp(value(a) / temperature), as `boltzmann` does, in O(log K).

    The leaves of a tree hold exp((value - reference) / temperature), every other node the sum of its eight children.
    After a step the leaf of the action played and the sums above it are computed anew. A draw follows `uniform` times
    the sum of all down the tree, so that an action of weight 0 is never drawn; at a constant temperature it is the
    action that `boltzmann` draws.

    When the temperature changes, the tree stays as it was built, at tau': it proposes an action, which is accepted with
    probability exp((value - bound)(1 / tau - 1 / tau')), where no value is above the bound (when it got colder) or
    below it (when it got hotter). That is exact. The tree is built anew, in O(K), when the wasted proposals have cost
    as much, when values leave the range of exponents, and at every step if the agent may change other values than that
    of the action played.

    Source: Wong and Easton (1980), sum trees; von Neumann (1951), rejection; Sutton and Barto (1998), equation 2.9.

    >>> policy, values = BoltzmannTree(temperature=0.5), np.array([0.0, 1.0, 1.0])
    >>> policy.choose(values, -1, 0.5, **policy.memory(1, 3), state=0, uniform=0.05, luck=(0, 0, 0, 0))
    0
    """

    temperature: Temperature = 1.0

    def memory(self, states, actions):
        families = -(-(actions - 1) // (CHILDREN - 1))
        return {"sums": np.zeros((states, CHILDREN * families + 1)), "known": np.zeros((states, 5))}

    def choose(self, values, changed, temperature, sums, known, state, uniform, luck):
        tree, about = sums[state], known[state]
        scale = min(max(1.0 / temperature, 1e-300), 1e300) if temperature > 0.0 else 1e300
        if changed < 0 or not renew(values, changed, tree, about):
            build(values, scale, tree, about)
        return draw(values, scale, tree, about, uniform, luck)


# --- the tree -------------------------------------------------------------------------------------------------------

# Node i has the children 8 i + 1 ... 8 i + 8. The leaves of the deepest level are those of the first actions, so that
# from left to right the actions are in order. Leaves of no action hold 0.


def deepest(nodes):
    """Return the first node of the deepest level of a tree."""
    first = 0
    while CHILDREN * first + 1 < nodes:
        first = CHILDREN * first + 1
    return first


def inner(nodes):
    """Return how many nodes have children; they come first."""
    return (nodes - 1) // CHILDREN


def leaf_of(action, nodes):
    """Return the node that holds the weight of an action."""
    node = deepest(nodes) + action
    return node if node < nodes else node - nodes + inner(nodes)


def action_of(node, nodes):
    """Return the action whose weight this leaf holds."""
    first = deepest(nodes)
    return node - first if node >= first else node - inner(nodes) + nodes - first


def build(values, scale, tree, about):
    """Weigh all values at this scale (1 / temperature), relative to the highest, and add up."""
    lowest, highest = extremes(values)
    about[SCALE], about[REFERENCE], about[HIGHEST], about[LOWEST], about[WASTED] = scale, highest, highest, lowest, 0.0
    first = deepest(tree.size)
    deep = min(tree.size - first, values.size)
    weigh(values[:deep], highest, scale, tree[first:])
    weigh(values[deep:], highest, scale, tree[inner(tree.size) :])
    for node in range(inner(tree.size) - 1, -1, -1):
        tree[node] = total(tree, node)


def extremes(values):
    """Return the lowest and the highest of the values that are allowed."""
    lowest, highest = np.inf, -np.inf
    for k in range(values.size):
        highest = max(highest, values[k])
        lowest = min(lowest, values[k] if values[k] > -np.inf else np.inf)
    return lowest, highest


def weigh(values, reference, scale, weights):
    """Fill exp((value - reference) scale)."""
    for k in range(values.size):
        weights[k] = decay((values[k] - reference) * scale)


def renew(values, k, tree, about):
    """Weigh one value again, and add up what is above it; return whether the tree can stay."""
    value, node = values[k], leaf_of(k, tree.size)
    exponent = (value - about[REFERENCE]) * about[SCALE]
    if not exponent < FAR:
        return False
    if value > -np.inf:
        about[HIGHEST], about[LOWEST] = max(about[HIGHEST], value), min(about[LOWEST], value)
    tree[node] = decay(exponent)
    while node > 0:
        node = (node - 1) // CHILDREN
        tree[node] = total(tree, node)
    return tree[0] >= FAINT


def total(tree, node):
    """Return the sum of the children of a node, in the order in which `descend` passes them."""
    first, running = CHILDREN * node + 1, 0.0
    for child in range(CHILDREN):
        running += tree[first + child]
    return running


def draw(values, scale, tree, about, uniform, luck):
    """Return an action of the Boltzmann law at this scale, whatever the scale of the tree."""
    slope, action, attempt = scale - about[SCALE], descend(tree, uniform), 0
    if -slope * (about[HIGHEST] - about[LOWEST]) > RANGE:
        build(values, scale, tree, about)
        return descend(tree, uniform)
    bound = about[HIGHEST] if slope > 0.0 else about[LOWEST]
    seed, run, step, purpose = luck
    while scale != about[SCALE]:
        word, other = random_words(seed, run, step, purpose + attempt)
        if unit(word) < decay((values[action] - bound) * slope):
            break
        attempt += 1
        about[WASTED] += 1.0
        if about[WASTED] * PRICE > values.size:
            build(values, scale, tree, about)
        action = descend(tree, unit(other))
    return action


def descend(tree, uniform):
    """Return the action at which the sum of the weights of all before it reaches uniform times the sum of all.

    The running sums are those of `total`, and the rest stays below the weight of the child: none of weight 0 is met.
    """
    node, rest = 0, uniform * tree[0]
    while node < inner(tree.size):
        node = CHILDREN * node + 1
        running, passed, beyond = 0.0, 0.0, 0
        for child in range(CHILDREN - 1):
            running += tree[node + child]
            passed = running if rest >= running else passed
            beyond += 1 if rest >= running else 0
        node += beyond
        rest = min(rest - passed, tree[node] * JUST_BELOW_ONE)
    return action_of(node, tree.size)
