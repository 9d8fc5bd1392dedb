"""What training minimises: things that share labels come together, whatever their modality."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from unisearch.training.meaning import Labels

#: Shared labels below this are no reason to come together ('animal' alone).
WEAK_OVERLAP = 0.25
#: How much another instance of the same name counts, where the pair shows the instance itself.
SAME_NAME = 0.1
PROTOTYPE_SCALE = 20.0


def label_rows(labels: Sequence[Labels], ids: dict[str, int]) -> Tensor:
    """float (n, labels): the weights of each row's labels, 0 elsewhere."""
    rows = torch.zeros(len(labels), len(ids))
    places = [
        (row, ids[label], w) for row, table in enumerate(labels) for label, w in table.items()
    ]
    if places:
        row, column, weight = zip(*places, strict=True)
        rows[list(row), list(column)] = torch.tensor(weight)
    return rows


def overlap(first: Tensor, second: Tensor) -> Tensor:
    """float (n, m) in [0, 1]: how much the labels of two batches agree."""
    cosine = F.normalize(first, dim=1) @ F.normalize(second, dim=1).T
    return torch.where(cosine < WEAK_OVERLAP, 0.0, cosine**2)


def pair_targets(
    agreement: Tensor, same_thing: Tensor, same_instance: Tensor, instance_pair: bool
) -> Tensor:
    """float (n, m): how much each column is a right answer for each row, not yet scaled.

    instance_pair: picture and shape, which can show one and the same instance; there another
    instance of the name counts little. Elsewhere all that the labels say counts.
    """
    if instance_pair:
        return torch.where(same_instance, 1.0, SAME_NAME * agreement)
    return torch.maximum(agreement, same_thing.to(agreement.dtype) * 0.8)


def contrast(logits: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy in both directions over the rows (columns) that have a right answer.

    Source: A. Radford et al., arXiv 2103.00020, figure 3, with soft targets.
    """
    losses = [_one_way(logits, targets), _one_way(logits.T, targets.T)]
    return (losses[0] + losses[1]) / 2


def _one_way(logits: Tensor, targets: Tensor) -> Tensor:
    mass = targets.sum(dim=1)
    answered = mass > 0
    if not answered.any():
        return logits.sum() * 0.0
    wanted = targets[answered] / mass[answered, None]
    return -(wanted * F.log_softmax(logits[answered], dim=1)).sum(dim=1).mean()


def prototype_loss(rows: Tensor, prototypes: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of rows against one learned direction per label; without labels, none."""
    mass = labels.sum(dim=1)
    named = mass > 0
    if not named.any():
        return rows.sum() * 0.0
    logits = PROTOTYPE_SCALE * rows[named] @ F.normalize(prototypes, dim=1).T
    wanted = 0.97 * labels[named] / mass[named, None] + 0.03 / labels.shape[1]
    return -(wanted * F.log_softmax(logits, dim=1)).sum(dim=1).mean()
