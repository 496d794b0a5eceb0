"""Tables and plots of the comparison, from the figures that are there.

    python3 -m sekisho_recipes.tables --out out --epochs 6 --docs docs
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from .compare import DELTAS, VARIANTS
from .svg import dots, lines

Figures = dict[str, list[dict]]


def read_figures(folder: Path) -> Figures:
    """Figures of each variant that has any, in the order of VARIANTS, its seeds in theirs."""
    found: Figures = {}
    for variant in VARIANTS:
        files = sorted(folder.glob(f"{variant}-s*.json"), key=lambda file: int(file.stem.rsplit("-s", 1)[1]))
        if files:
            found[variant] = [json.loads(file.read_text()) for file in files]
    return found


def reviewed(figures: dict) -> float:
    """Share of held-out frames that go to a person, mean of the cuts of the evidence."""
    return 1 - float(np.mean([cut["heldOutPassRate"] for cut in figures["cuts"]]))


def spread(values: list[float], digits: int = 2, factor: float = 100, unit: str = "%") -> str:
    """Mean, and in brackets the least and largest of the seeds."""
    shown = [f"{factor * value:.{digits}f}" for value in (float(np.mean(values)), min(values), max(values))]
    return f"{shown[0]}{unit}" if len(values) == 1 else f"{shown[0]}{unit} ({shown[1]} to {shown[2]})"


def main_table(found: Figures) -> str:
    columns: list[tuple[str, Callable[[dict], float]]] = [
        ("accuracy", lambda f: f["accuracy"]),
        ("same class as the teacher", lambda f: f["agreement"]),
        ("unfaithful at delta 0.1", lambda f: f["unfaithful"]["0.1"]),
        ("reviewed at certified alpha 1%", reviewed),
        ("unfaithful among passed", lambda f: float(np.mean([c["heldOutUnfaithfulAmongPassed"] for c in f["cuts"]]))),
    ]
    head = ["", "seeds", *(name for name, _ in columns), "CPU minutes"]
    rows = [head, ["---"] * len(head)]
    for variant, seeds in found.items():
        minutes = spread([f["trainingCpuSeconds"] / 60 for f in seeds], 1, 1, "")
        rows.append([variant, str(len(seeds)), *(spread([of(f) for f in seeds]) for _, of in columns), minutes])
    return _markdown(rows)


def gap_table(found: Figures) -> str:
    head = ["", "mean gap", "mean worst over copies"]
    any_seed = next(iter(found.values()))[0]
    head += [f"mean worst, epsilon {ball['epsilon'] * 255:.0f}/255" for ball in any_seed["balls"]]
    rows = [head, ["---"] * len(head)]
    for variant, seeds in found.items():
        row = [spread([f[name] for f in seeds], 3, 1, "") for name in ("meanGap", "meanWorstGapOverCopies")]
        row += [spread([f["balls"][i]["meanWorstGap"] for f in seeds], 3, 1, "") for i in range(len(any_seed["balls"]))]
        rows.append([variant, *row])
    return _markdown(rows)


def rates_table(found: Figures) -> str:
    any_seed = next(iter(found.values()))[0]
    head = ["", *(f"copies, delta {delta}" for delta in DELTAS)]
    head += [f"epsilon {ball['epsilon'] * 255:.0f}/255, delta {delta}" for ball in any_seed["balls"] for delta in DELTAS]
    rows = [head, ["---"] * len(head)]
    for variant, seeds in found.items():
        row = [spread([f["unfaithful"][str(delta)] for f in seeds], 1) for delta in DELTAS]
        for i in range(len(any_seed["balls"])):
            row += [spread([f["balls"][i]["unfaithful"][str(delta)] for f in seeds], 1) for delta in DELTAS]
        rows.append([variant, *row])
    return _markdown([list(column) for column in _turned(rows)])


def _turned(rows: list[list[str]]) -> list[list[str]]:
    """A table with a variant a column, since there are more rates than variants."""
    head, _, *body = rows
    return [[head[0], *(row[0] for row in body)], ["---"] * (len(body) + 1)] + [
        [name, *(row[i] for row in body)] for i, name in list(enumerate(head))[1:]
    ]


def _markdown(rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def write_plots(found: Figures, docs: Path, dataset: str) -> None:
    points = {variant: [100 * reviewed(f) for f in seeds] for variant, seeds in found.items()}
    (docs / f"distillation-{dataset}-reviewed.svg").write_text(
        dots(points, "Frames that go to a person, % (certified alpha 1%, delta 0.1); a dot a seed, a bar their mean")
    )
    curves = {}
    for variant, seeds in found.items():
        epsilons = [255 * ball["epsilon"] for ball in seeds[0]["balls"]]
        worst = [float(np.mean([f["balls"][i]["meanWorstGap"] for f in seeds])) for i in range(len(epsilons))]
        curves[variant] = list(zip(epsilons, worst))
    (docs / f"distillation-{dataset}-gap.svg").write_text(
        lines(curves, "Mean worst gap found within epsilon, in 1/255 (gradient search on both models)")
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="fashion-mnist")
    parser.add_argument("--out", type=Path, default=Path("out"))
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--docs", type=Path, help="folder to write the plots to")
    options = parser.parse_args()
    folder = options.out / options.dataset / f"e{options.epochs}"
    found = read_figures(folder)
    if not found:
        raise SystemExit(f"{folder}: expected figures of the comparison, found none; run sekisho_recipes.compare first")
    for table in (main_table, gap_table, rates_table):
        print(table(found))
    if options.docs is not None:
        write_plots(found, options.docs, options.dataset)


if __name__ == "__main__":
    main()
