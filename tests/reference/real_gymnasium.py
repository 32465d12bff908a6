"""A real Gymnasium environment in the whole loop: its generator hands out the uniforms that it is given."""

import gymnasium


class OneNumber:
    """Stands in for NumPy's generator; a second number would be a mistake."""

    def __init__(self, number):
        self.numbers = [number]

    def random(self):
        return self.numbers.pop()


class RealWorld:
    """What the whole loop asks of a world, answered by `gymnasium.make`."""

    records = ("reward", "episodes", "return", "length")

    def __init__(self, name, limit, **kwargs):
        self.env = gymnasium.make(name, max_episode_steps=limit, disable_env_checker=True, **kwargs)
        self.states, self.actions = int(self.env.observation_space.n), int(self.env.action_space.n)
        self.limit, self.age = self.env.spec.max_episode_steps, 0
        self.env.reset(seed=0)

    def start(self, uniform):
        self.env.unwrapped.np_random, self.age = OneNumber(uniform), 0
        return int(self.env.reset()[0])

    def move(self, state, action, uniform):
        self.env.unwrapped.np_random = OneNumber(uniform)
        there, reward, terminated, truncated, _ = self.env.step(action)
        self.age += 1
        assert truncated == (self.age == self.limit)  # the loop cuts where Gymnasium does
        return int(there), float(reward), bool(terminated)

    def regrets(self, action):
        return []
