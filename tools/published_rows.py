"""
Choose which published rows are shipped, and fit the shipped table to them.

    python tools/published_rows.py FOLDER

FOLDER has latency.csv and features.csv. Rows are shipped whose source is under a
permissive licence (`estimate.rows.LICENCES`), with that licence; nothing else is
left out. Then the table is fitted: minutes.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from pytest_edgebudget.estimate.refit import TABLE, refit
from pytest_edgebudget.estimate.rows import SHIPPED, licence, read_rows


def write(path: Path, rows: list[dict[str, str]]) -> None:
    """Rows as CSV."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main(folder: Path) -> None:
    """Write the shipped rows and the table."""
    rows = [dict(row, licence=licence(row)) for row in read_rows(folder / "latency.csv")]
    rows = [row for row in rows if row["licence"]]
    used = {(row["model"], row["precision"]) for row in rows}
    features = read_rows(folder / "features.csv")
    SHIPPED.mkdir(exist_ok=True)
    write(SHIPPED / "latency.csv", rows)
    write(SHIPPED / "features.csv", [r for r in features if (r["model"], r["precision"]) in used])
    TABLE.write_text(refit(), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
