"""
Cut a third of the channels of models in files: what `cut` does, for those alone.

    python real.py OUT.json MODEL ...
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import keras
from cut import record

from pytest_edgebudget.surgery.ranking import by_l1


def main() -> None:
    out = Path(sys.argv[1])
    models = {
        Path(path).stem: keras.saving.load_model(path, compile=False) for path in sys.argv[2:]
    }
    results = {name: record(model, 0.3, 1, by_l1, out.parent) for name, model in models.items()}
    out.write_text(json.dumps(results))


if __name__ == "__main__":
    main()
