"""Networks as they are in use, with random weights: what was fitted is tested on them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from pytest_edgebudget.calibrate.net import Net


def whole_models(precision: str) -> Mapping[str, Callable[[], Net]]:
    """Functions that build them, by name."""
    builders = {
        "mobilenet": _mobilenet,
        "inverted residuals": _inverted,
        "residual": _residual,
        "keywords": _keywords,
        "autoencoder": _autoencoder,
        "digits": _digits,
        "perceptron": _perceptron,
        "segmentation": _segmentation,
    }
    return {name: functools.partial(build, precision) for name, build in builders.items()}


def _mobilenet(precision: str) -> Net:
    net = Net((1, 96, 96, 3), precision).conv(8, stride=2)
    for filters, stride in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), (256, 2)):
        net.depthwise(stride=stride).conv(filters, (1, 1))
    return net.mean().dense(2).one("SOFTMAX")


def _inverted(precision: str) -> Net:
    net = Net((1, 64, 64, 3), precision).conv(16, stride=2)
    for filters, stride in ((16, 2), (24, 1), (24, 1), (40, 2), (40, 1)):
        before, channels = net.at, net.here[3]
        net.conv(6 * channels, (1, 1)).depthwise(stride=stride).conv(filters, (1, 1))
        if stride == 1 and channels == filters:
            net.two("ADD", before)
    return net.mean().dense(20).one("SOFTMAX")


def _residual(precision: str) -> Net:
    net = Net((1, 28, 28, 3), precision).conv(12)
    for filters, stride in ((12, 1), (24, 2), (48, 2)):
        start = net.at
        net.conv(filters, stride=stride).conv(filters)
        end = net.at
        if stride > 1:
            net.at = start
            net.conv(filters, (1, 1), stride)
            start, net.at = net.at, end
        net.two("ADD", start)
    return net.pool("AVERAGE_POOL_2D", 7, 7).flat().dense(10).one("SOFTMAX")


def _keywords(precision: str) -> Net:
    net = Net((1, 40, 20, 1), precision).conv(48, (8, 4), 2)
    for _ in range(3):
        net.depthwise().conv(48, (1, 1))
    return net.pool("AVERAGE_POOL_2D", 10, 10).flat().dense(8).one("SOFTMAX")


def _autoencoder(precision: str) -> Net:
    net = Net((1, 320), precision)
    for units in (96, 96, 12, 96, 96, 320):
        net.dense(units)
    return net


def _digits(precision: str) -> Net:
    net = Net((1, 28, 28, 1), precision).conv(8, (5, 5)).pool("MAX_POOL_2D", 2, 2)
    net.conv(20, (5, 5)).pool("MAX_POOL_2D", 2, 2)
    return net.flat().dense(96).dense(10).one("SOFTMAX")


def _perceptron(precision: str) -> Net:
    return Net((1, 784), precision).dense(300).dense(100).dense(10).one("SOFTMAX")


def _segmentation(precision: str) -> Net:
    net = Net((1, 48, 48, 3), precision).conv(12)
    high = net.at
    net.pool("MAX_POOL_2D", 2, 2).conv(24).conv(24).resize().join(high)
    return net.conv(12).conv(4, (1, 1))
