"""What stands in the whole loop: worlds, schedules, policies and agents, from the books, on plain lists."""

import math

from reference.whole_loop import added
from rlsoftmax.numeric import BUILD, decay, exp2, log, normal

# --- worlds: start, move, regrets -----------------------------------------------------------------------------------


class Bandit:
    """A pull is a terminal step in the only state."""

    states, limit, records = 1, math.inf, ("reward", "regret", "optimal")

    def __init__(self, means, pay):
        self.means, self.pay, self.actions = means, pay, len(means)

    def start(self, uniform):
        return 0

    def move(self, state, action, uniform):
        return 0, self.pay(self.means[action], uniform), True

    def regrets(self, action):
        regret = max(self.means) - self.means[action]
        return [("regret", regret), ("optimal", float(regret == 0.0))]


def gaussian(luck, arms):
    """Return the testbed of one run: means and noise are standard normals."""
    means = [float(normal(luck(k, BUILD)[0])) for k in range(arms)]
    return Bandit(means, lambda mean, uniform: mean + float(normal(uniform)))


def bernoulli(chances):
    return Bandit(chances, lambda chance, uniform: float(uniform < chance))


class Chain:
    """Three states: forward (0) to the prize, back (1) for a toll, and each slips into the other."""

    states, actions, records = 3, 2, ("reward", "episodes", "return", "length", "success")

    def __init__(self, limit):
        self.limit = limit

    def start(self, uniform):
        return 0

    def move(self, state, action, uniform):
        if uniform < 0.2:
            action = 1 - action
        if action == 1:
            return 0, 0.2, False
        return (2, 10.0, True) if state == 2 else (state + 1, 0.0, False)

    def regrets(self, action):
        return []


# --- schedules: step, visits of the state -> temperature ------------------------------------------------------------


def constant(value):
    return lambda step, visits: value


def exponential(start, end, half_life):
    return lambda step, visits: end + (start - end) * float(exp2(-step / half_life))


def linear(start, end, steps):
    return lambda step, visits: start * (1.0 - min(step / steps, 1.0)) + end * min(step / steps, 1.0)


def count_based(c):
    return lambda step, visits: c / float(log(2.0 + added(visits)))


# --- policies: weights of one row of values -------------------------------------------------------------------------


def boltzmann(values, temperature, visits):
    scale = min(max(1.0 / temperature if temperature else math.inf, 1e-300), 1e300)
    return [float(decay((value - max(values)) * scale)) for value in values]


def greedy(values, temperature, visits):
    return [float(value == max(values)) for value in values]


def epsilon_greedy(values, temperature, visits, epsilon=0.1):
    best = greedy(values, temperature, visits)
    return [epsilon / len(values) + is_best * ((1.0 - epsilon) / added(best)) for is_best in best]


def max_boltzmann(values, temperature, visits, epsilon=0.5):
    weights = boltzmann(values, temperature, visits)
    total, ties = added(weights), weights.count(1.0)
    return [epsilon * weight / total + (weight == 1.0) * ((1.0 - epsilon) / ties) for weight in weights]


def ucb(values, temperature, visits, c=2.0):
    spread = c * math.sqrt(float(log(added(visits) + 1.0)))
    bounds = [v + spread / math.sqrt(n) if n else math.inf for v, n in zip(values, visits, strict=True)]
    return greedy(bounds, temperature, visits)


def soft_ucb(values, temperature, visits, c=1.0):
    scale = c * math.sqrt(float(log(added(visits) + 2.0)))
    wanted = [value + scale / math.sqrt(n + 1.0) for value, n in zip(values, visits, strict=True)]
    return boltzmann(wanted, temperature, visits)


# --- agents: memory, and how it changes -----------------------------------------------------------------------------


def values(world, initial=0.0):
    return [[[initial] * world.actions for _ in range(world.states)]]


def preferences(world):
    return [*values(world), [0.0] * world.states, [0.0] * world.states]  # preference, mean reward, number of rewards


def sample_average(memory, visits, state, action, reward, there, terminated, *unused):
    value = memory[0]
    value[state][action] += (reward - value[state][action]) / visits[state][action]


def gradient_bandit(alpha, baseline):
    def learn(memory, visits, state, action, reward, there, terminated, no_choice, probabilities):
        preference, mean, seen = memory
        before = mean[state]
        seen[state] += 1.0
        mean[state] += (reward - before) / seen[state]
        surprise = alpha * (reward - {"none": 0.0, "before": before, "including": mean[state]}[baseline])
        for k, probability in enumerate(probabilities):
            preference[state][k] -= surprise * probability
        preference[state][action] += surprise

    return learn


def towards(alpha, target):
    """Return the rule that moves a value towards a target; an end of the episode does not bootstrap."""

    def learn(memory, visits, state, action, reward, there, terminated, choice, probabilities):
        value = memory[0]
        goal = reward if terminated else target(reward, value[there], choice, probabilities)
        value[state][action] += alpha * (goal - value[state][action])

    return learn


def q_learning(alpha, gamma=0.99):
    return towards(alpha, lambda reward, row, choice, chances: reward + gamma * max(row))


def sarsa(alpha, gamma=0.99):
    return towards(alpha, lambda reward, row, choice, chances: reward + gamma * row[choice])


def expected_sarsa(alpha, gamma=0.99):
    def target(reward, row, choice, chances):
        return added([reward, *(gamma * chance * value for chance, value in zip(chances, row, strict=True))])

    return towards(alpha, target)
