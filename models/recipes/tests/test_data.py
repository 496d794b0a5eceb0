"""Frames are read as `sekisho record` reads them, and put in the units that the bundle names."""

import importlib.util
import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch

from sekisho_recipes.data import Frames, cut, read_frames, units_of
from sekisho_recipes.nuisances import IMAGE_NUISANCES, WINDOW_NUISANCES, copies, perturbed


def written(folder: str, **arrays: np.ndarray) -> Path:
    path = Path(folder) / "frames.npz"
    np.savez(path, **arrays)
    return path


class Reading(unittest.TestCase):
    def setUp(self) -> None:
        self.kept = tempfile.TemporaryDirectory()
        self.addCleanup(self.kept.cleanup)
        self.folder = self.kept.name

    def test_images_and_windows(self) -> None:
        images = np.arange(2 * 4 * 5 * 3, dtype=np.uint8).reshape(2, 4, 5, 3)
        frames = read_frames(written(self.folder, frames=images, labels=np.array([1, -1])))
        units = units_of(frames)
        self.assertEqual(units.shape, (3, 4, 5))
        self.assertEqual(float(units.scaled(images)[1, 2, 3, 4]), images[1, 3, 4, 2] * np.float32(1 / 255))
        windows = read_frames(written(self.folder, frames=np.ones((6, 40), np.float64)))
        self.assertEqual(units_of(windows).shape, (1, 40))
        self.assertEqual(windows.labels.tolist(), [-1] * 6)

    def test_normalised_frames_have_mean_0_and_deviation_1(self) -> None:
        images = np.random.default_rng(1).integers(0, 256, (50, 8, 8, 3), dtype=np.uint8)
        frames = Frames(images, np.zeros(50, np.int64), np.arange(50))
        units = units_of(frames)
        x = units.normalised(units.scaled(images))
        self.assertLess(float(x.mean((0, 2, 3)).abs().max()), 1e-4)
        self.assertLess(float((x.std((0, 2, 3)) - 1).abs().max()), 1e-3)

    def test_what_is_wrong_is_named(self) -> None:
        cases = [
            ({"images": np.zeros((2, 4, 4), np.uint8)}, 'expected an array "frames", found images'),
            ({"frames": np.zeros((2, 4), np.float32), "labels": np.zeros(3)}, r'"labels" has shape \(3,\), expected \(2,\)'),
            ({"frames": np.array([[1.0, np.nan], [0, 0]])}, "not finite in 1 rows"),
        ]
        for arrays, problem in cases:
            with self.assertRaisesRegex(SystemExit, problem):
                read_frames(written(self.folder, **arrays))
        with self.assertRaisesRegex(SystemExit, "expected a frames.npz"):
            read_frames(Path(self.folder) / "none.npz")

    @unittest.skipUnless(importlib.util.find_spec("PIL"), "needs python3-pil")
    def test_a_folder_of_images_with_parts_in_the_names(self) -> None:
        from PIL import Image

        for name, shade in (("bent/0042.png", 9), ("good/p17__left.png", 100), ("good/p17__right.png", 200)):
            file = Path(self.folder) / name
            file.parent.mkdir(exist_ok=True)
            Image.fromarray(np.full((4, 6), shade, np.uint8)).save(file)
        frames = read_frames(Path(self.folder))
        self.assertEqual(frames.classes, ["bent", "good"])
        self.assertEqual(frames.labels.tolist(), [0, 1, 1])
        self.assertEqual(frames.parts.tolist(), ["bent/0042.png", "p17", "p17"])
        self.assertEqual(frames.frames[:, 0, 0].tolist(), [9, 100, 200])

    def test_a_part_stands_in_one_split(self) -> None:
        parts = np.repeat(np.arange(100), 3)
        frames = Frames(np.zeros((300, 4), np.float32), np.zeros(300, np.int64), parts)
        splits = cut(frames, {"train": 0.6, "held": 0.4}, seed=1)
        self.assertEqual(len(splits["train"]) + len(splits["held"]), 300)
        self.assertEqual(set(parts[splits["train"]]) & set(parts[splits["held"]]), set())
        self.assertEqual(len(splits["train"]), 180)


class Nuisances(unittest.TestCase):
    def setUp(self) -> None:
        self.chance = torch.Generator().manual_seed(2)
        self.images = torch.rand(200, 1, 8, 8, generator=self.chance)
        self.windows = torch.randn(200, 1, 32, generator=self.chance)

    def test_a_shift_moves_by_whole_pixels_and_repeats_the_border(self) -> None:
        ramp = torch.arange(8.0).repeat(8, 1).expand(200, 1, 8, 8)
        moved = perturbed(ramp, "shift", 1, self.chance)
        rows = {tuple(image[0, 0].tolist()) for image in moved}
        stays, left, right = tuple(range(8)), (1, 2, 3, 4, 5, 6, 7, 7), (0, 0, 1, 2, 3, 4, 5, 6)
        self.assertEqual(rows, {stays, left, right})

    def test_amounts_stay_within_their_magnitude(self) -> None:
        grey = torch.full((200, 1, 8, 8), 0.5)
        moved = perturbed(grey, "brightness", 0.05, self.chance) - grey
        self.assertLessEqual(float(moved.abs().max()), 0.05 + 1e-6)
        self.assertGreater(float(moved.max()), 0.03)
        self.assertLess(float(moved.min()), -0.03)
        gain = perturbed(self.windows, "gain", 0.05, self.chance) / self.windows
        self.assertLessEqual(float((gain - 1).abs().max()), 0.05 + 1e-5)
        rotated = perturbed(self.windows, "time-shift", 1, self.chance)
        self.assertTrue(torch.allclose(rotated.sort(-1).values, self.windows.sort(-1).values))

    def test_a_blur_of_a_point_is_the_binomial_mean(self) -> None:
        point = torch.zeros(1, 1, 5, 5)
        point[0, 0, 2, 2] = 1
        blurred = perturbed(point, "blur", 1.0, self.chance)
        weight = float(blurred[0, 0, 1, 1]) * 16
        self.assertAlmostEqual(float(blurred[0, 0, 2, 2]), 1 - weight + weight / 4, places=5)
        self.assertAlmostEqual(float(blurred.sum()), 1, places=5)

    def test_copy_j_suffers_nuisance_j(self) -> None:
        made = copies(self.windows, WINDOW_NUISANCES, 5, self.chance)
        self.assertEqual(made.shape, (5, 200, 1, 32))
        factor = made[1] / self.windows
        self.assertLess(float((factor - factor[..., :1]).abs().max()), 1e-4)


if __name__ == "__main__":
    unittest.main()
