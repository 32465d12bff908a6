"""Linear softmax layers over very many classes: by decisions down a tree, and with narrower blocks for rare classes.

Sources: Goodman (2001), classes; Morin & Bengio (2005), binary trees; Mikolov et al. (2013), Huffman codes; Chen,
Grangier & Auli (2016), differentiated softmax.
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rlsoftmax.core.dense import log_softmax, softmax
from rlsoftmax.core.gaps import real, whole_number
from rlsoftmax.core.sampling import sample
from rlsoftmax.errors import ArgumentError, shown

Array = npt.NDArray[Any]


@dataclasses.dataclass(frozen=True)
class Tree:
    """Nodes in an order in which the children of one node are neighbours; node 0 is the root.

    `parent` [nodes] (-1 at the root), `first` and `children` [nodes] (0 at leaves), `leaf` [classes], `label` [nodes]
    (-1 inside).
    """

    parent: Array
    first: Array
    children: Array
    leaf: Array
    label: Array

    def path(self, label: int) -> list[int]:
        """Return the nodes from below the root to the leaf of a class."""
        node, path = int(self.leaf[label]), []
        while node > 0:
            path.append(node)
            node = int(self.parent[node])
        return path[::-1]

    def siblings(self, node: int) -> slice:
        """Return the children of the node's parent."""
        parent = self.parent[node]
        return slice(int(self.first[parent]), int(self.first[parent] + self.children[parent]))

    def below(self, node: int) -> slice:
        """Return the children of a node."""
        return slice(int(self.first[node]), int(self.first[node] + self.children[node]))


def _tree(first: Array, children: Array, label: Array, classes: int) -> Tree:
    first, children, label = (a.astype(np.int32, copy=False) for a in (first, children, label))
    parent, leaf = np.full(len(first), -1, np.int32), np.zeros(classes, np.int32)
    inside = np.flatnonzero(children).astype(np.int32)
    number = children[inside]
    owner = np.repeat(inside, number)
    offset = np.arange(len(owner), dtype=np.int32)
    offset -= np.repeat(np.cumsum(number, dtype=np.int32) - number, number)
    offset += first[owner]
    parent[offset] = owner
    outside = np.flatnonzero(label >= 0).astype(np.int32)
    leaf[label[outside]] = outside
    return Tree(parent, first, children, leaf, label)


def balanced_tree(classes: int) -> Tree:
    """Return the complete binary tree: every class takes about log2(classes) decisions.

    >>> sorted({len(balanced_tree(1000).path(label)) for label in range(1000)})
    [9, 10]
    """
    classes = whole_number("classes", classes, 1)
    nodes = np.arange(2 * classes - 1, dtype=np.int32)
    inside = nodes < classes - 1
    return _tree(
        np.where(inside, 2 * nodes + 1, 0),
        np.where(inside, np.int32(2), np.int32(0)),
        np.where(inside, -1, nodes - classes + 1),
        classes,
    )


def huffman_tree(frequencies: npt.ArrayLike) -> Tree:
    """Return the binary tree with the fewest decisions on average, given how often each class occurs.

    Source: Huffman (1952).

    >>> [len(huffman_tree([8, 4, 2, 1, 1]).path(label)) for label in range(5)]
    [1, 2, 3, 4, 4]
    """
    weight = real("frequencies", frequencies).astype(np.float64)
    if weight.ndim != 1 or not np.all((weight >= 0.0) & (weight < np.inf)):
        raise ArgumentError(f"frequencies must be one row, >= 0 and finite, got {shown(frequencies)}.")
    classes = len(weight)
    whole_number("the number of frequencies", classes, 1)
    order = np.argsort(weight, kind="stable").astype(np.int32)
    item = np.zeros(2 * classes - 1, np.int32)  # what lies at each place: a class, or classes + number of a merge
    for merge, pair in enumerate(_lightest_pairs(weight[order].tolist())):
        place = 2 * (classes - 2 - merge) + 1
        item[place], item[place + 1] = (order[i] if i < classes else i for i in pair)
    item[0] = 2 * classes - 2 if classes > 1 else 0
    inside = item >= classes
    first = np.where(inside, 2 * (classes - 2 - (item - classes)) + 1, 0)
    return _tree(first, np.where(inside, np.int32(2), np.int32(0)), np.where(inside, -1, item), classes)


def _lightest_pairs(weights: list[float]) -> Iterator[tuple[int, int]]:
    """Yield which two are merged next, given ascending weights; merge number m is called len(weights) + m.

    Merges come out in ascending weight, so the lightest is at the head of one of two queues.
    """
    classes, merged, leaf, merge = len(weights), list[float](), 0, 0
    for _ in range(classes - 1):
        pair, total = [], 0.0
        for _ in range(2):
            if leaf < classes and (merge >= len(merged) or weights[leaf] <= merged[merge]):
                pair.append(leaf)
                total += weights[leaf]
                leaf += 1
            else:
                pair.append(classes + merge)
                total += merged[merge]
                merge += 1
        merged.append(total)
        yield pair[0], pair[1]


def clustered_tree(clusters: Sequence[Sequence[int]]) -> Tree:
    """Return the tree with two decisions: first the cluster, then the class in it.

    Args:
      clusters: every class 0 ... K - 1 in exactly one of them.

    >>> clustered_tree([[0, 2], [1]]).path(2)
    [1, 4]
    """
    try:
        labels = np.array([operator.index(label) for cluster in clusters for label in cluster], np.int64)
        sizes = np.array([len(cluster) for cluster in clusters], np.int64)
    except TypeError:
        raise ArgumentError(f"clusters must be lists of classes, got {shown(clusters)}.") from None
    if not np.array_equal(np.sort(labels), np.arange(len(labels))) or not np.all(sizes > 0) or not len(labels):
        raise ArgumentError(
            f"clusters must hold every class 0 ... K - 1 exactly once, none empty, got {shown(clusters)}."
        )
    count, zeros = len(sizes), np.zeros(len(labels), np.int64)
    first = np.concatenate([[1], 1 + count + np.cumsum(sizes) - sizes, zeros])
    children = np.concatenate([[count], sizes, zeros])
    label = np.concatenate([np.full(1 + count, -1), labels])
    return _tree(first, children, label, len(labels))


class HierarchicalSoftmax:
    """A softmax layer whose classes are leaves: at each node softmax over the children, weights times features.

    Probability, log-probability, sampling, gradient and update of one class take as many steps as its leaf is deep;
    probabilities sum to one exactly as the decisions do, for any weights.

    Args:
      tree: from `balanced_tree`, `huffman_tree` or `clustered_tree`.
      features: length of the feature vector.

    >>> layer = HierarchicalSoftmax(huffman_tree([2, 1, 1]), features=1)
    >>> layer.probabilities([1.0])
    array([0.5 , 0.25, 0.25])
    """

    def __init__(self, tree: Tree, features: int) -> None:
        if features < 1:
            raise ArgumentError(f"features must be >= 1, got {features}.")
        self.tree = tree
        self.weights = np.zeros((len(tree.parent), features))  # of each node against its siblings; row 0 is not used

    def log_probability(self, features: npt.ArrayLike, label: int) -> float:
        """Return the logarithm of the probability of a class."""
        h = self._features(features)
        return sum(self._log_choice(h, node) for node in self.tree.path(label))

    def probability(self, features: npt.ArrayLike, label: int) -> float:
        """Return the probability of a class."""
        return float(np.exp(self.log_probability(features, label)))

    def probabilities(self, features: npt.ArrayLike) -> Array:
        """Return the probabilities of all classes, [K]; this visits every node."""
        h = self._features(features)
        reach = np.ones(len(self.tree.parent))
        for node in np.flatnonzero(self.tree.children).tolist():
            below = self.tree.below(node)
            reach[below] = reach[node] * softmax(self.weights[below] @ h)
        return reach[self.tree.leaf]

    def draw(self, features: npt.ArrayLike, rng: np.random.Generator) -> int:
        """Return a class drawn from its probabilities, by one draw at each node on the way."""
        h, node = self._features(features), 0
        while self.tree.children[node]:
            below = self.tree.below(node)
            node = below.start + int(sample(self.weights[below] @ h, rng=rng))
        return int(self.tree.label[node])

    def gradient(self, features: npt.ArrayLike, label: int) -> tuple[dict[int, Array], Array]:
        """Return the gradient of the log-probability: {first sibling: [siblings, features]}, and in the features."""
        h, rows = self._features(features), {}
        to_features = np.zeros(len(h))
        for node in self.tree.path(label):
            siblings = self.tree.siblings(node)
            surprise = -np.asarray(softmax(self.weights[siblings] @ h))
            chosen = node - siblings.start
            surprise[chosen] = -np.add.reduce(np.delete(surprise, chosen))  # 1 - p, without cancelling
            rows[siblings.start] = surprise[:, None] * h
            to_features += surprise @ self.weights[siblings]
        return rows, to_features

    def update(self, features: npt.ArrayLike, label: int, step: float) -> Array:
        """Move the weights along the gradient of the class's log-probability; return the gradient in the features."""
        rows, to_features = self.gradient(features, label)
        for first, change in rows.items():
            self.weights[first : first + len(change)] += step * change
        return to_features

    def _log_choice(self, h: Array, node: int) -> float:
        siblings = self.tree.siblings(node)
        return float(log_softmax(self.weights[siblings] @ h)[node - siblings.start])

    def _features(self, features: npt.ArrayLike) -> Array:
        h = real("features", features).astype(np.float64)
        if h.shape != self.weights.shape[1:]:
            raise ArgumentError(f"features must have shape {self.weights.shape[1:]}, got {h.shape}.")
        return h


class DifferentiatedSoftmax:
    """A softmax layer whose blocks of classes read different, and differently wide, parts of the features.

    Frequent classes get wide blocks, rare ones narrow blocks; the dense layer's matrix is then block-diagonal.

    Args:
      sizes: number of classes in each block, most frequent first; classes are numbered through.
      widths: number of features each block reads; they are read one after the other.

    Source: Chen, Grangier & Auli (2016), section 3.3.

    >>> layer = DifferentiatedSoftmax(sizes=[2, 3], widths=[4, 1])
    >>> layer.weights_used, layer.probabilities(np.zeros(5)).round(3)
    (11, array([0.2, 0.2, 0.2, 0.2, 0.2]))
    """

    def __init__(self, sizes: Sequence[int], widths: Sequence[int]) -> None:
        if len(sizes) != len(widths) or not sizes or min(*sizes, *widths) < 1:
            raise ArgumentError(f"sizes and widths must be as many, >= 1, got {shown(sizes)} and {shown(widths)}.")
        self.blocks = [np.zeros((size, width)) for size, width in zip(sizes, widths, strict=True)]
        ends = np.cumsum(widths)
        self._parts = [slice(int(end) - width, int(end)) for end, width in zip(ends, widths, strict=True)]

    @property
    def weights_used(self) -> int:
        """The number of weights; a dense layer has classes times features."""
        return sum(block.size for block in self.blocks)

    def values(self, features: npt.ArrayLike) -> Array:
        """Return the logits, [..., classes], of features [..., sum of widths]."""
        h = self._features(features)
        return np.concatenate(
            [h[..., part] @ block.T for part, block in zip(self._parts, self.blocks, strict=True)], -1
        )

    def probabilities(self, features: npt.ArrayLike) -> Any:
        """Return the probabilities of all classes, [..., classes]."""
        return softmax(self.values(features))

    def log_probabilities(self, features: npt.ArrayLike) -> Any:
        """Return the logarithms of the probabilities of all classes, [..., classes]."""
        return log_softmax(self.values(features))

    def gradient(self, features: npt.ArrayLike, label: int) -> tuple[list[Array], Array]:
        """Return the gradient of one class's log-probability in each block of weights, and in the features [widths]."""
        h = self._features(features)
        surprise = -np.asarray(self.probabilities(h))
        surprise[label] = -np.add.reduce(np.delete(surprise, label))
        shares = np.split(surprise, np.cumsum([len(block) for block in self.blocks])[:-1])
        to_blocks = [share[:, None] * h[part] for share, part in zip(shares, self._parts, strict=True)]
        to_features = np.concatenate([share @ block for share, block in zip(shares, self.blocks, strict=True)])
        return to_blocks, to_features

    def _features(self, features: npt.ArrayLike) -> Array:
        h = real("features", features).astype(np.float64)
        if h.ndim < 1 or h.shape[-1] != self._parts[-1].stop:
            raise ArgumentError(
                f"features must have {self._parts[-1].stop} entries in the last axis, got shape {h.shape}."
            )
        return h
