"""Tables and plots say what the figures say."""

import json
import tempfile
import unittest
from pathlib import Path

from sekisho_recipes.svg import dots, lines
from sekisho_recipes.tables import gap_table, main_table, rates_table, read_figures, reviewed, spread


def figures(passes: float) -> dict:
    rates = {"0.05": 0.3, "0.1": 0.2, "0.2": 0.1}
    return {
        "accuracy": 0.93,
        "agreement": 0.95,
        "meanGap": 0.04,
        "meanWorstGapOverCopies": 0.08,
        "unfaithful": rates,
        "trainingCpuSeconds": 90,
        "balls": [{"epsilon": 4 / 255, "meanWorstGap": 0.2, "largestGap": 0.9, "unfaithful": rates}],
        "cuts": [{"heldOutPassRate": passes, "heldOutUnfaithfulAmongPassed": 0.005}] * 2,
    }


class Tables(unittest.TestCase):
    def setUp(self) -> None:
        kept = tempfile.TemporaryDirectory()
        self.addCleanup(kept.cleanup)
        for variant, seed, passes in (("faithful", 1, 0.7), ("faithful", 2, 0.6), ("kd", 10, 0.5)):
            (Path(kept.name) / f"{variant}-s{seed}.json").write_text(json.dumps(figures(passes)))
        self.found = read_figures(Path(kept.name))

    def test_variants_keep_their_order_and_only_those_with_figures_are_there(self) -> None:
        self.assertEqual({name: len(seeds) for name, seeds in self.found.items()}, {"kd": 1, "faithful": 2})
        self.assertEqual(list(self.found), ["kd", "faithful"])

    def test_what_is_not_passed_is_reviewed_and_the_spread_is_of_the_seeds(self) -> None:
        self.assertAlmostEqual(reviewed(figures(0.7)), 0.3)
        row = next(line for line in main_table(self.found).splitlines() if line.startswith("| faithful "))
        self.assertIn("35.00% (30.00 to 40.00)", row)
        self.assertIn("| 2 |", row)
        self.assertEqual(spread([0.5]), "50.00%")

    def test_every_row_of_a_table_has_as_many_cells(self) -> None:
        for table in (main_table(self.found), gap_table(self.found), rates_table(self.found)):
            self.assertEqual(len({line.count("|") for line in table.splitlines()}), 1)

    def test_plots_draw_every_point(self) -> None:
        self.assertEqual(dots({"a": [1, 2], "<b>": [3]}, "t").count("<circle"), 3)
        self.assertIn("&lt;b&gt;", dots({"<b>": [3]}, "t"))
        self.assertEqual(lines({"a": [(1, 0.1), (2, 0.2)], "b": [(1, 0.3)]}, "t").count("<circle"), 3)


if __name__ == "__main__":
    unittest.main()
