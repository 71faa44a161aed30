"""The best few values for many numbers: k-means in one dimension."""

from __future__ import annotations

from pytest_edgebudget.facts import Array
from pytest_edgebudget.graph.ir import Tensor
from pytest_edgebudget.passes._magnitude import WORDS

ROUNDS = 300
"""Of Lloyd's algorithm at most; it mostly stands still before."""


def clustered(tensor: Tensor, count: int) -> Array:
    """
    The values of *tensor*, each replaced by the nearest of at most *count* centroids.

    Zeros stay zeros and are one of them, so that pruned weights stay pruned.
    Integers get integers.
    """
    import numpy as np

    assert tensor.data is not None
    values = np.frombuffer(tensor.data, tensor.dtype).copy()
    others = values != 0
    zeros = not others.all()
    wanted = count - zeros
    if others.any():
        # With a centroid alone and zeros, or with none, there is nothing to choose.
        values[others] = _nearest(values[others], max(wanted, 1))
    return values.reshape(tensor.shape or ())


def _nearest(values: Array, count: int) -> Array:
    import numpy as np

    numbers = values.astype(np.float64)
    centroids = _centroids(np.sort(numbers), count)
    if values.dtype.kind == "i":
        centroids = np.unique(np.rint(centroids))
    found: Array = centroids[_places(numbers, centroids)].astype(values.dtype)
    return found


def _centroids(numbers: Array, count: int) -> Array:
    """
    Lloyd's algorithm on sorted *numbers*, from centroids that are spread evenly.

    Even spacing keeps the rare large weights, which matter most; quantiles lose
    them (Han et al., "Deep Compression", ICLR 2016, 3.2).
    """
    import numpy as np

    centroids = np.linspace(numbers[0], numbers[-1], count)
    sums = np.concatenate([[0.0], np.cumsum(numbers)])
    for _ in range(ROUNDS):
        ends = np.searchsorted(numbers, (centroids[1:] + centroids[:-1]) / 2)
        bounds = np.concatenate([[0], ends, [len(numbers)]])
        lengths = np.diff(bounds)
        means = np.diff(sums[bounds]) / np.maximum(lengths, 1)
        moved = np.where(lengths > 0, means, centroids)
        if np.array_equal(moved, centroids):
            break
        centroids = moved
    found: Array = centroids
    return found


def _places(numbers: Array, centroids: Array) -> Array:
    import numpy as np

    found: Array = np.searchsorted((centroids[1:] + centroids[:-1]) / 2, numbers)
    return found


def distinct(tensor: Tensor) -> int:
    """How many different values *tensor* holds."""
    assert tensor.data is not None
    return len(set(tensor.data.cast("B").cast(WORDS[tensor.dtype]).tolist()))
