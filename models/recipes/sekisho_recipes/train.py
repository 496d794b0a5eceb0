"""Training: SGD on a one-cycle rate, seeded, with a checkpoint after every epoch from which it goes on exactly."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from .files import write_atomically


@dataclass(frozen=True)
class Plan:
    """How long and how fast; what a checkpoint must agree with to be gone on from."""

    epochs: int
    rate: float = 0.1
    batch: int = 256
    weight_decay: float = 5e-4
    #: Of the moving average of the weights, on which training ends.
    average: float = 0.99
    seed: int = 1


#: Loss of a batch, by its row numbers and the generator of all chance.
LossOf = Callable[[torch.Tensor, torch.Generator], torch.Tensor]


def fit(
    network: nn.Module,
    loss_of: LossOf,
    count: int,
    plan: Plan,
    name: str,
    checkpoint: Path | None = None,
    settings: str = "",
    until: int | None = None,
    chance: torch.Generator | None = None,
) -> bool:
    """Trains `network` in place on `count` rows; it ends with the moving average of its weights, in eval mode.

    checkpoint: file that is written after every epoch and gone on from. settings: whatever else fixes the training, in
    words; a checkpoint made with others is refused. until: stop after this epoch. chance: where several networks share
    one; seeded by the plan where left out. Returns whether all epochs are done; if not, the network is left as it was
    after the last.
    """
    run = _Run(network, count, plan, chance or torch.Generator().manual_seed(plan.seed))
    identity = f"{asdict(plan)} {count} {settings}"
    if checkpoint is not None and checkpoint.exists():
        run.restore(checkpoint, identity)
        if run.epoch > 0:
            print(f"{name}: goes on after epoch {run.epoch} of {plan.epochs}", flush=True)
    while run.epoch < min(plan.epochs, until or plan.epochs):
        started = time.monotonic()
        loss = run.one_epoch(loss_of)
        print(f"{name}: epoch {run.epoch}/{plan.epochs} loss {loss:.4f} {time.monotonic() - started:.0f} s", flush=True)
        if checkpoint is not None:
            run.save(checkpoint, identity)
    if run.epoch < plan.epochs:
        return False
    network.load_state_dict(run.average)
    network.eval()
    return True


class _Run:
    """All that changes while a network is trained."""

    def __init__(self, network: nn.Module, count: int, plan: Plan, chance: torch.Generator) -> None:
        self.network, self.plan, self.count, self.chance = network, plan, count, chance
        self.batch = min(plan.batch, count)
        self.steps = count // self.batch
        self.epoch = 0
        self.optimiser = torch.optim.SGD(
            network.parameters(), lr=plan.rate, momentum=0.9, weight_decay=plan.weight_decay, nesterov=True
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, plan.rate, total_steps=plan.epochs * self.steps, pct_start=0.2
        )
        self.average = {key: value.clone() for key, value in network.state_dict().items()}

    def one_epoch(self, loss_of: LossOf) -> float:
        self.network.train()
        order = torch.randperm(self.count, generator=self.chance)
        total = 0.0
        for step in range(self.steps):
            loss = loss_of(order[step * self.batch : (step + 1) * self.batch], self.chance)
            if not torch.isfinite(loss):
                raise SystemExit(f"the loss is {loss.item()} at step {step + 1} of epoch {self.epoch + 1}: lower the rate")
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            self.schedule.step()
            total += loss.item()
            _follow(self.average, self.network.state_dict(), self.plan.average)
        self.epoch += 1
        return total / self.steps

    def save(self, path: Path, identity: str) -> None:
        state = {
            "identity": identity,
            "epoch": self.epoch,
            "network": self.network.state_dict(),
            "average": self.average,
            "optimiser": self.optimiser.state_dict(),
            "schedule": {k: v for k, v in self.schedule.state_dict().items() if not callable(v)},
            "chance": self.chance.get_state(),
        }
        write_atomically(path, lambda draft: torch.save(state, draft))

    def restore(self, path: Path, identity: str) -> None:
        # The training's own file. PyTorch 1.13 cannot read its plain numbers as weights only.
        state = torch.load(path)
        if state["identity"] != identity:
            raise SystemExit(
                f"{path}: was made by another training ({state['identity']}); this one is {identity}. "
                "Delete it, or write elsewhere"
            )
        self.epoch = state["epoch"]
        self.network.load_state_dict(state["network"])
        self.average = state["average"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.chance.set_state(state["chance"])


def _follow(average: dict[str, torch.Tensor], current: dict[str, torch.Tensor], decay: float) -> None:
    """Exponential moving average of weights and batch statistics; counters are copied."""
    for key, value in current.items():
        if value.dtype.is_floating_point:
            average[key].mul_(decay).add_(value, alpha=1 - decay)
        else:
            average[key].copy_(value)
