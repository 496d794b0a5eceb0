"""An exported teacher read back answers as it did in PyTorch; what cannot be read is named."""

import importlib.util
import tempfile
import unittest
import warnings
from pathlib import Path

import torch
from torch import nn

from sekisho_recipes.bundle import golden_frame
from sekisho_recipes.data import Units
from sekisho_recipes.deploy import Answering, Deployed
from sekisho_recipes.export import export
from sekisho_recipes.networks import student, teacher, weights
from sekisho_recipes.onnx_network import OnnxNetwork
from sekisho_recipes.teachers import read_teacher

SHAPES = ((1, 28, 28), (3, 20, 24), (1, 256))


def units(shape: tuple[int, ...]) -> Units:
    return Units(shape, 1.0, (0.0,), (1.0,), 0.0, 1.0)


def settled(network: nn.Module, shape: tuple[int, ...]) -> nn.Module:
    """With batch statistics that are not those it was made with."""
    network.train()
    network(torch.rand(32, *shape))
    return network.eval()


class Networks(unittest.TestCase):
    def test_on_garments_they_are_the_apparel_bundles(self) -> None:
        self.assertEqual(weights(teacher((1, 28, 28), 10)), 611_306)
        self.assertEqual(weights(student((1, 28, 28), 10)), 67_762)

    def test_a_deployed_student_gives_the_classifiers_logits_and_doubts_where_it_moves(self) -> None:
        for shape in SHAPES:
            with self.subTest(shape=shape):
                network = settled(student(shape, 4), shape)
                x = torch.rand(6, *shape)
                x[0] = 0.5
                logits, features, doubt = Deployed(network, shape, torch.rand(32, *shape)).eval()(x)
                self.assertTrue(torch.allclose(logits, network(x)[0], atol=1e-5))
                self.assertEqual(features.shape, (6, network.feature_count + network.channels))
                # A flat frame is the same wherever it is shifted to.
                self.assertLess(float(doubt[0, 1]), float(doubt[1:, 1].min()))

    def test_frames_too_small_for_the_body_are_refused(self) -> None:
        with self.assertRaisesRegex(SystemExit, "too small"):
            student((1, 8, 8), 3)


@unittest.skipUnless(importlib.util.find_spec("onnx"), "needs python3-onnx")
class Reading(unittest.TestCase):
    def setUp(self) -> None:
        warnings.simplefilter("ignore")
        self.kept = tempfile.TemporaryDirectory()
        self.addCleanup(self.kept.cleanup)
        self.path = Path(self.kept.name) / "teacher.onnx"

    def test_what_was_exported_answers_the_same_and_has_a_gradient(self) -> None:
        for shape in SHAPES:
            with self.subTest(shape=shape):
                network = settled(teacher(shape, 5), shape)
                export(Answering(network, shape), shape, self.path, ["logits"])
                read = read_teacher(self.path, units(shape), 5)
                x = torch.rand(3, *shape, requires_grad=True)
                self.assertTrue(torch.allclose(read(x), network(x)[0], atol=1e-4))
                (gradient,) = torch.autograd.grad(read(x).sum(), x)
                self.assertGreater(float(gradient.abs().max()), 0)

    def test_torchscript_is_taken_too(self) -> None:
        shape = (1, 28, 28)
        path = Path(self.kept.name) / "teacher.pt"
        torch.jit.save(torch.jit.script(_Flat()), str(path))
        self.assertEqual(tuple(read_teacher(path, units(shape), 5)(torch.rand(2, *shape)).shape), (2, 5))

    def test_an_unknown_operator_is_named_with_its_node(self) -> None:
        export(_Erf(), (4,), self.path, ["logits"])
        with self.assertRaisesRegex(SystemExit, "operator Erf is not known here"):
            OnnxNetwork(self.path)

    def test_other_classes_and_other_files_are_refused(self) -> None:
        shape = (1, 28, 28)
        export(Answering(settled(teacher(shape, 5), shape), shape), shape, self.path, ["logits"])
        with self.assertRaisesRegex(SystemExit, r"expected logits of shape \(2, 10\)"):
            read_teacher(self.path, units(shape), 10)
        broken = Path(self.kept.name) / "broken.pt"
        broken.write_bytes(b"no network")
        with self.assertRaisesRegex(SystemExit, "expected TorchScript"):
            read_teacher(broken, units(shape), 5)


class Golden(unittest.TestCase):
    def test_noise_is_the_gateways(self) -> None:
        # src/core/random.ts, seed 1: floor(256 u) of its first eight numbers.
        frame = {"type": "u8", "shape": [8]}
        self.assertEqual(golden_frame(frame, 1).tolist(), [54, 72, 167, 110, 135, 176, 126, 87])


class _Flat(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.last = nn.Linear(28 * 28, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(x.flatten(1))


class _Erf(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.erf(x)


if __name__ == "__main__":
    unittest.main()
