"""Draws the logged losses of a run: `python -m puppeteer.training.plot RUN --output losses.png`.

RUN is a run's folder, or any that holds its `morpher.csv` or `rig.csv`.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from puppeteer.files import whole

Log = dict[int, dict[str, float]]


def read_log(path: Path) -> Log:
    """step -> the logged losses by name; where a run was resumed before its last lines, what it did then counts."""
    log: Log = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            pairs = (pair.split("=") for pair in row["losses"].split())
            log[int(row["step"])] = {name: float(value) for name, value in pairs}
    return dict(sorted(log.items()))


def plot(run: Path, output: Path) -> None:
    """One panel for each part, the losses on a logarithmic scale."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    logs = {part: read_log(run / f"{part}.csv") for part in ("morpher", "rig") if (run / f"{part}.csv").exists()}
    if not logs:
        raise SystemExit(f"{run} has neither morpher.csv nor rig.csv: name the folder of a training run")
    figure, panels = pyplot.subplots(1, len(logs), figsize=(6 * len(logs), 4), squeeze=False)
    for panel, (part, log) in zip(panels[0], logs.items(), strict=True):
        for name in sorted({name for losses in log.values() for name in losses}):
            steps = [step for step, losses in log.items() if name in losses]
            panel.plot(steps, [log[step][name] for step in steps], label=name)
        panel.set(title=part, xlabel="step", yscale="log")
        panel.legend(fontsize=8)
        panel.grid(alpha=0.3)
    figure.tight_layout()
    with whole(output) as draft:
        figure.savefig(draft, format="png", dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    plot(options.run, options.output)


if __name__ == "__main__":
    main()
