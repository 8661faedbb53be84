"""Train small networks in as many processes as there are; torchrun starts it in a test.

python -m torch.distributed.run --nproc-per-node=2 training_processes.py CLIPS OUTPUT
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from pipeline.test_expression_training import RECIPE, loud_opens_clips
from pipeline.test_motion_training import SMALL

from osmnet_sdk.core.bundle import find_bundle
from osmnet_sdk.face.model import load_face_model
from osmnet_sdk.research.trainers.expression.train import ExpressionData, train_expression
from osmnet_sdk.research.trainers.loop import TrainingRun
from osmnet_sdk.research.trainers.motion.train import train_motion
from osmnet_sdk.research.trainers.processes import Processes

# Each process drops features of its own, so without dropout, or no two could agree.
MOTION = SMALL.model_copy(update={"config": SMALL.config.model_copy(update={"audio_dropout": 0.0})})
EXPRESSION = RECIPE.model_copy(update={"steps": 12})


def train_both(clips: Path, output: Path, processes: Processes) -> None:
    """Write motion.safetensors, expression.safetensors, and checkpoints in `output`/work."""
    output.mkdir(exist_ok=True)
    run = TrainingRun(output / "work", processes=processes)
    train_motion(MOTION, clips, output, run)
    spoken = loud_opens_clips(6)
    spoken[0].coefficients[:, :] = 0.3  # pressed lips: shares of a batch differ in weight
    train_expression(
        EXPRESSION,
        ExpressionData(spoken, spoken[:1]),
        load_face_model(find_bundle()),
        run,
        out=output / "expression.safetensors",
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    train_both(Path(sys.argv[1]), Path(sys.argv[2]), Processes())
