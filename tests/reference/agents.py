"""Agents from their books, on plain lists: `name(mind, self, t)` learns from a transition t and changes the mind.

t: state s, action a, reward r, state s2 and action a2 that follow, end (terminated), over (ended), chances of the
actions in s, tau2 (temperature of the next step), visits, luck(k) (uniform number k), normals (one per action). Only
exponentials, logarithms and normals come from the library. Names with an underscore in the mind are its own.
"""

from rlsoftmax.numeric import decay, log


def bootstrapped(t, self, ahead):
    return t.r if t.end else t.r + self.gamma * ahead


def move(table, t, alpha, target):
    table[t.s][t.a] += alpha * (target - table[t.s][t.a])


def constant_step(mind, self, t):
    move(mind["value"], t, self.alpha, t.r)


def exp3(mind, self, t):
    mind["preference"][t.s][t.a] -= (self.high - t.r) / (self.high - self.low) / (t.chances[t.a] + self.implicit)


def tsallis_inf(mind, self, t):
    mind["preference"][t.s][t.a] -= (self.high - t.r) / (self.high - self.low) / t.chances[t.a]
    mind["rounds"][t.s] += 1.0


def double_q(mind, self, t):
    mine, other = (mind["value"], mind["twin"]) if t.luck(0) < 0.5 else (mind["twin"], mind["value"])
    row = mine[t.s2]
    said = [other[t.s2][k] for k in range(len(row)) if row[k] == max(row)]
    total = 0.0
    for number in said:
        total += number
    move(mine, t, self.alpha, bootstrapped(t, self, 0.0) + (0.0 if t.end else self.gamma * total / len(said)))


def _n_step(mind, self, t, ahead):
    waiting, value = mind.setdefault("_waiting", []), mind["value"]
    waiting.append((t.s, t.a, []))
    for _, _, rewards in waiting:
        rewards.append(t.r)
    while waiting and (t.over or len(waiting[0][2]) == self.n):
        s, a, rewards = waiting.pop(0)
        total, discount = 0.0, 1.0
        for reward in rewards:
            total, discount = total + discount * reward, discount * self.gamma
        value[s][a] += self.alpha * (total + discount * ahead - value[s][a])


def n_step_q(mind, self, t):
    _n_step(mind, self, t, 0.0 if t.end else max(mind["value"][t.s2]))


def n_step_sarsa(mind, self, t):
    _n_step(mind, self, t, 0.0 if t.end else mind["value"][t.s2][t.a2])


def _along(mind, self, t, ahead):
    """Every trace of the table decays first and is visited then; here, as in the book, there is no list."""
    value, trace, kind = mind["value"], mind["trace"], int(self.traces)
    here, before = value[t.s][t.a], mind["before"][0]
    news = here - before if kind == 2 else 0.0
    old = trace[t.s][t.a]
    trace[t.s][t.a] = 1.0 if kind == 1 else old + 1.0 - (self.alpha * old if kind == 2 else 0.0)
    error = t.r + self.gamma * ahead - here + news
    for s, row in enumerate(trace):
        for a, e in enumerate(row):
            value[s][a] += self.alpha * error * e
            faded = 0.0 if t.over else e * (self.gamma * self.trace_decay)
            row[a] = faded if faded > self.cutoff else 0.0
    value[t.s][t.a] -= self.alpha * news
    mind["before"][0] = 0.0 if t.over else ahead


def sarsa_lambda(mind, self, t):
    _along(mind, self, t, 0.0 if t.end else mind["value"][t.s2][t.a2])


def q_lambda(mind, self, t):
    if mind["value"][t.s][t.a] < max(mind["value"][t.s]):
        mind["trace"] = [[0.0 for _ in row] for row in mind["trace"]]
        mind["before"] = [0.0]
    _along(mind, self, t, 0.0 if t.end else max(mind["value"][t.s2]))


def soft_q(mind, self, t):
    row, total = mind["value"][t.s2], 0.0
    for x in row:
        total += float(decay((x - max(row)) * (1.0 / t.tau2)))
    move(mind["value"], t, self.alpha, bootstrapped(t, self, max(row) + t.tau2 * float(log(total))))


def mellowmax_q(mind, self, t):
    row, total, softness = mind["value"][t.s2], 0.0, 1.0 / self.omega
    for x in row:
        total += float(decay((x - max(row)) * (1.0 / softness)))
    mellow = max(row) + softness * float(log(total / len(row)))
    move(mind["value"], t, self.alpha, bootstrapped(t, self, mellow))


def speedy_q(mind, self, t):
    value, previous = mind["value"], mind.get("_previous", mind["value"])
    alpha = 1.0 / t.visits[t.s][t.a] if int(self.step_size) == 1 else self.alpha
    here, now = value[t.s][t.a], bootstrapped(t, self, max(value[t.s2]))
    then = bootstrapped(t, self, max(previous[t.s2]))
    mind["_previous"] = [list(row) for row in value]
    value[t.s][t.a] = here + alpha * (then - here) + (1.0 - alpha) * (now - then)


def weighted_q(mind, self, t):
    s, a, value, alpha = t.s, t.a, mind["value"], self.alpha
    draws = []
    for k, x in enumerate(value[t.s2]):
        n, error = t.visits[t.s2][k], self.doubt
        if n > 1.0:
            error = (mind["scatter"][t.s2][k] / (n - 1.0) * mind["trust"][t.s2][k]) ** 0.5
        draws.append(x + error * t.normals[k])
    target = bootstrapped(t, self, value[t.s2][draws.index(max(draws))])
    surprise = target - mind["target_mean"][s][a]
    mind["target_mean"][s][a] += surprise / t.visits[s][a]
    mind["scatter"][s][a] += surprise * (target - mind["target_mean"][s][a])
    mind["trust"][s][a] = (1.0 - alpha) * (1.0 - alpha) * mind["trust"][s][a] + alpha * alpha
    move(value, t, alpha, target)


def maxmin_q(mind, self, t):
    tables = mind["estimates"]
    lowest = [min(table[t.s2][k] for table in tables) for k in range(len(tables[0][0]))]
    move(tables[int(t.luck(0) * len(tables))], t, self.alpha, bootstrapped(t, self, max(lowest)))
    mind["value"][t.s][t.a] = min(table[t.s][t.a] for table in tables)


def r_learning(mind, self, t):
    value, average = mind["value"], mind["average"]
    ahead = 0.0 if t.end else max(value[t.s2])
    value[t.s][t.a] += self.alpha * (t.r - average[0] + ahead - value[t.s][t.a])
    if value[t.s][t.a] == max(value[t.s]):
        average[0] += self.beta * (t.r + ahead - max(value[t.s]) - average[0])


def actor_critic(mind, self, t):
    worth, preference = mind["worth"], mind["preference"]
    error = bootstrapped(t, self, worth[t.s2]) - worth[t.s]
    worth[t.s] += self.beta * error
    step = self.alpha * mind["fading"][0] * error
    for k, chance in enumerate(t.chances):
        preference[t.s][k] -= step * chance
    preference[t.s][t.a] += step
    mind["fading"][0] = self.gamma * mind["fading"][0] if self.discounted and not t.over else 1.0


def reinforce(mind, self, t):
    episode = mind.setdefault("_episode", [])
    episode.append((t.s, t.a, t.r, t.chances))
    if t.over or len(episode) == self.longest:
        total, gains, fading = 0.0 if t.end else mind["baseline"][t.s2], [], 1.0
        for _, _, reward, _ in reversed(episode):
            gains.insert(0, total := reward + self.gamma * total)
        for (s, a, _, chances), gain in zip(episode, gains, strict=True):
            step = self.alpha * fading * (gain - mind["baseline"][s])
            mind["baseline"][s] += self.beta * (gain - mind["baseline"][s])
            for k, chance in enumerate(chances):
                mind["preference"][s][k] -= step * chance
            mind["preference"][s][a] += step
            fading = self.gamma * fading if self.discounted else 1.0
        episode.clear()


def dyna_q(mind, self, t):
    model, value = mind.setdefault("_model", {}), mind["value"]  # keeps the order of first visits
    model[t.s, t.a] = (t.r, None if t.end else t.s2)
    remembered = [list(model)[int(t.luck(i) * len(model))] for i in range(self.planning)]
    for s, a in [(t.s, t.a), *remembered]:
        reward, after = model[s, a]
        target = reward if after is None else reward + self.gamma * max(value[after])
        value[s][a] += self.alpha * (target - value[s][a])


def dual_rate(mind, self, t):
    error = bootstrapped(t, self, max(mind["value"][t.s2])) - mind["value"][t.s][t.a]
    mind["value"][t.s][t.a] += (self.alpha_good if error > 0.0 else self.alpha_bad) * error


def forgetting(mind, self, t):
    row, target = mind["value"][t.s], bootstrapped(t, self, max(mind["value"][t.s2]))
    for k in range(len(row)):
        row[k] += self.alpha * (target - row[k]) if k == t.a else self.forget * (self.initial - row[k])


def choice_kernel(mind, self, t):
    move(mind["value"], t, self.alpha, bootstrapped(t, self, max(mind["value"][t.s2])))
    for k in range(len(mind["kernel"][t.s])):
        mind["kernel"][t.s][k] += self.alpha_choice * ((k == t.a) - mind["kernel"][t.s][k])


# --- what the policy ranks, where it is not the first table ---------------------------------------------------------


def ranked_double_q(mind, self, s):
    return [a + b for a, b in zip(mind["value"][s], mind["twin"][s], strict=True)]


def ranked_choice_kernel(mind, self, s):
    return [v + self.habit * c for v, c in zip(mind["value"][s], mind["kernel"][s], strict=True)]


RANKED = {"double_q": ranked_double_q, "choice_kernel": ranked_choice_kernel}
