"""Rewrite op graphs so that they run faster and compute the same; used by the converter.

Three small rewrites pay for themselves on CPU, where the cost of these networks is mostly the
cost of calling many tiny operations:

- zero padding goes into the convolution that reads it, a rectifier into the step before it;
- an addition may overwrite an operand that nothing else reads;
- parallel branches of the same shape run as one branch with their channels side by side.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Step = dict[str, Any]
Tensors = dict[str, np.ndarray]

_JOINABLE = ("convolution", "prelu", "add", "max_pool", "pad")
"""Ops that work on each channel (or group of channels) alone, so branches can share a call."""

_NAMES = ("in", "out", "weight", "bias", "slope")
"""Keys that name tensors; two steps are alike when all the other keys agree."""


def readers(steps: list[Step]) -> dict[str, list[Step]]:
    """The steps that read each value."""
    result: dict[str, list[Step]] = {}
    for step in steps:
        for name in step["in"]:
            result.setdefault(name, []).append(step)
    return result


def fold_padding(steps: list[Step]) -> list[Step]:
    """Merge each spatial zero padding into the one valid-padded convolution that reads it."""
    reading = readers(steps)
    kept = []
    for step in steps:
        follow = reading.get(step["out"], [])
        if step["op"] == "pad" and not any(step["amounts"][4:]) and len(follow) == 1:
            reader = follow[0]
            if reader["op"] == "convolution" and reader["padding"] == "valid":
                reader["padding"] = step["amounts"][:4]
                reader["in"] = step["in"]
                continue
        kept.append(step)
    return kept


def fold_rectifiers(steps: list[Step], outputs: set[str]) -> list[Step]:
    """Merge each rectifier into the convolution or addition that only it reads."""
    reading = readers(steps)
    maker = {step["out"]: step for step in steps}
    kept = []
    for step in steps:
        before = maker.get(step["in"][0]) if step["op"] == "relu" else None
        if (
            before is not None
            and before["op"] in ("convolution", "add")
            and before["activation"] is None
            and len(reading[before["out"]]) == 1
            and before["out"] not in outputs
        ):
            before["activation"] = "relu"
            before["out"] = step["out"]
            maker[step["out"]] = before
            continue
        kept.append(step)
    return kept


def mark_reuse(steps: list[Step], outputs: set[str]) -> None:
    """Tell each addition which operand, if any, it may overwrite: a convolution's own result."""
    reading = readers(steps)
    maker = {step["out"]: step for step in steps}
    for step in steps:
        if step["op"] != "add":
            continue
        for position, name in enumerate(step["in"]):
            fresh = name in maker and maker[name]["op"] == "convolution"
            if fresh and len(reading[name]) == 1 and name not in outputs:
                step["reuse"] = position


def by_depth(steps: list[Step]) -> list[Step]:
    """Order steps by their distance from the input, equal ops together."""
    depth: dict[str, int] = {}
    for step in steps:
        depth[step["out"]] = 1 + max((depth.get(name, 0) for name in step["in"]), default=0)
    return sorted(steps, key=lambda step: (depth[step["out"]], step["op"]))


def join_branches(steps: list[Step], tensors: Tensors) -> list[Step]:
    """Run parallel branches of the same shape as one, from the sampled features on.

    Weights of joined steps are joined in `tensors`, the single ones are removed.
    """
    return _Joiner(tensors).run(by_depth(steps))


class _Joiner:
    """Keeps track of which values lie side by side in which joined value."""

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors
        self._place: dict[str, tuple[str, int]] = {}
        self._members: dict[str, int] = {}
        self._steps: list[Step] = []

    def run(self, steps: list[Step]) -> list[Step]:
        position = 0
        while position < len(steps):
            group = self._alike(steps, position)
            if group[0]["op"] == "transform_features" and len(group) > 1:
                self._steps.extend(group)
                self._emit_join([step["out"] for step in group])
            elif len(group) > 1 and group[0]["op"] in _JOINABLE and self._joined(group):
                self._emit_group(group)
            else:
                for step in group:
                    self._emit_single(step)
            position += len(group)
        return self._steps

    def _signature(self, step: Step) -> Any:
        shapes = [self._tensors[step[k]].shape for k in ("weight", "slope") if k in step]
        return [(k, v) for k, v in sorted(step.items()) if k not in _NAMES], shapes

    def _alike(self, steps: list[Step], start: int) -> list[Step]:
        """The run of steps from `start` that do the same to different values."""
        signature = self._signature(steps[start])
        end = start + 1
        made = {steps[start]["out"]}
        while (
            end < len(steps)
            and self._signature(steps[end]) == signature
            and not made.intersection(steps[end]["in"])
        ):
            made.add(steps[end]["out"])
            end += 1
        return steps[start:end]

    def _joined(self, group: list[Step]) -> bool:
        """Whether every operand's members lie in one joined value."""
        for operands in zip(*(step["in"] for step in group), strict=True):
            homes = {self._place[name][0] if name in self._place else name for name in operands}
            if len(homes) != 1 or not homes <= self._members.keys():
                return False
        return True

    def _emit_join(self, names: list[str]) -> None:
        joined = "+".join(names)
        self._steps.append({"op": "join", "in": names, "out": joined})
        self._remember(joined, names)

    def _remember(self, joined: str, names: list[str]) -> None:
        self._members[joined] = len(names)
        for index, name in enumerate(names):
            self._place[name] = (joined, index)

    def _emit_group(self, group: list[Step]) -> None:
        first = group[0]
        step = {k: v for k, v in first.items() if k not in _NAMES}
        step["in"] = [
            self._operand([one["in"][i] for one in group]) for i in range(len(first["in"]))
        ]
        for role in ("weight", "bias", "slope"):
            if role in first:
                parts = [self._tensors.pop(one[role]) for one in group]
                step[role] = first[role]
                self._tensors[first[role]] = np.concatenate(parts)
        if first["op"] == "convolution":
            step["groups"] = first["groups"] * len(group)
        if first["op"] == "pad":
            step["members"] = len(group)
        names = [one["out"] for one in group]
        step["out"] = "+".join(names)
        self._steps.append(step)
        self._remember(step["out"], names)

    def _operand(self, names: list[str]) -> str:
        """The joined value whose members are `names` in this order, taken anew if need be."""
        home = self._place[names[0]][0]
        order = [self._place[name][1] for name in names]
        if order == list(range(self._members[home])):
            return home
        taken = f"{home}[{','.join(map(str, order))}]"
        if taken not in self._members:
            self._steps.append(
                {
                    "op": "take",
                    "in": [home],
                    "out": taken,
                    "members": self._members[home],
                    "order": order,
                }
            )
            self._members[taken] = len(order)
        return taken

    def _emit_single(self, step: Step) -> None:
        """Emit a step as it is, after taking its operands out of joined values."""
        for name in step["in"]:
            home, index = self._place.pop(name, (name, 0))
            if home != name:
                members = self._members[home]
                self._steps.append(
                    {"op": "take", "in": [home], "out": name, "members": members, "order": [index]}
                )
        self._steps.append(step)
