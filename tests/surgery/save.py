"""
Save a small network with attention.

    python save.py OUT.json MODEL.keras
"""

from __future__ import annotations

import sys
from pathlib import Path

import keras
from keras import layers


def main() -> None:
    x = keras.Input((10, 4), name="x")
    y = layers.Conv1D(9, 3, padding="same", activation="relu")(x)
    y = layers.Conv1D(8, 3, padding="same")(y)
    y = layers.MultiHeadAttention(2, 4, name="attention")(y, y)
    y = layers.Dense(2)(layers.GlobalAveragePooling1D()(y))
    keras.Model(x, y).save(sys.argv[2])
    Path(sys.argv[1]).write_text("{}")


if __name__ == "__main__":
    main()
