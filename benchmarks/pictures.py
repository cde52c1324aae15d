"""Growth curves of a result, as SVG files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

CURVES = {
    "hub_statements": "SQL statements on the hub",
    "bytes_down": "bytes to the device",
    "hub_cpu": "CPU seconds of the hub's process",
}


def draw(results: dict[str, Any], folder: Path) -> None:
    """Draw what a no-op pull costs against the number of collections, a picture for each measure."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "performance"
    from matplotlib import pyplot

    for measure, label in CURVES.items():
        figure, axes = pyplot.subplots(figsize=(6, 3.5), layout="constrained")
        for database, way in sorted({(row["database"], row["way"]) for row in results["growth"]}):
            points = [
                (row["collections"], row[measure])
                for row in results["growth"]
                if (row["database"], row["way"], row["case"]) == (database, way, "no-op pull") and measure in row
            ]
            if points:
                axes.plot(
                    *zip(*points), marker="o", linestyle="-" if way == "ours" else "--", label=f"{way}, {database}"
                )
        axes.set(xscale="log", yscale="log", xlabel="collections", ylabel=label, title="A pull with nothing to do")
        axes.legend()
        figure.savefig(folder / f"{measure}.svg", metadata={"Date": None})
        pyplot.close(figure)
