"""The softmax core: pure functions on arrays, right at every limit, mask and number. See docs/core.md."""

from rlsoftmax.core.dense import hardmax, log_softmax, softmax
from rlsoftmax.core.logsums import logmeanexp, logsumexp, mellowmax, soft_maximum
from rlsoftmax.core.measures import effective_actions, effective_actions_of, entropy, entropy_of

__all__ = [
    "effective_actions",
    "effective_actions_of",
    "entropy",
    "entropy_of",
    "hardmax",
    "log_softmax",
    "logmeanexp",
    "logsumexp",
    "mellowmax",
    "soft_maximum",
    "softmax",
]
