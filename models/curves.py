"""Learning curves: TensorBoard's event files while training runs, a picture when it is over."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from models.state import Epoch

CURVES_FILE = "learning_curves.png"


class Curves:
    """An event file that grows line by line; nothing waits in a thread, so a full disk is told at once.

    Each run of a resumed training has a file of its own, which tells TensorBoard to forget later steps.
    """

    def __init__(self, folder: Path, steps: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / f"events.out.tfevents.{steps:010}.glamlake").open("wb")
        self._records = RecordWriter(self._file)
        self._write(Event(wall_time=time.time(), file_version="brain.Event:2"))
        started = SessionLog(status=SessionLog.START)
        self._write(Event(wall_time=time.time(), step=steps + 1, session_log=started))

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Values at one step, seen at once by a TensorBoard that looks on."""
        told = [Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        self._write(Event(wall_time=time.time(), step=step, summary=Summary(value=told)))

    def close(self) -> None:
        """No more will come."""
        self._file.close()

    def _write(self, event: Any) -> None:
        self._records.write(event.SerializeToString())
        self._file.flush()


def plot_curves(history: Sequence[Epoch], kept: int, path: Path) -> None:
    """Loss, and what was found of the val split, by epoch; the kept epoch is marked, chance is dashed."""
    figure = Figure(figsize=(10, 4))
    figure.subplots_adjust(left=0.07, right=0.98, bottom=0.13, top=0.95)
    left, right = figure.subplots(1, 2)
    numbers = [epoch.number for epoch in history]
    left.plot(numbers, [epoch.loss for epoch in history], color="black")
    left.set(xlabel="epoch", ylabel="loss on the train split", ylim=(0, None))
    judged = [epoch for epoch in history if epoch.metrics]
    for side, line in (("text_to_image", "-"), ("image_to_text", ":")):
        for colour, name in enumerate(("R@1", "R@5", "R@10")):
            _plot_metric(right, judged, side, name, f"C{colour}{line}")
    right.axvline(kept, color="grey", linewidth=0.7)
    right.set(xlabel="epoch (grey: the one kept)", ylabel="share of the val split found", ylim=(0, 1))
    if judged:
        right.legend(fontsize="small")
    figure.savefig(path, dpi=110)


def _plot_metric(axes: Any, judged: Sequence[Epoch], side: str, name: str, style: str) -> None:
    values = [epoch.metrics[side][name] for epoch in judged]
    axes.plot([epoch.number for epoch in judged], values, style, label=f"{name}, {side.replace('_', ' ')}")
    if judged and side == "text_to_image":
        axes.axhline(judged[-1].metrics[side]["chance"][name], color=style[:2], linestyle="--", linewidth=0.7)
