"""The losses reward what they should."""

from __future__ import annotations

import torch

from unisearch.training.losses import (
    contrast,
    label_rows,
    overlap,
    pair_targets,
    prototype_loss,
)


def test_label_rows_put_each_weight_in_its_place() -> None:
    rows = label_rows([{"cow": 1.0, "animal": 0.5}, {}], {"animal": 0, "cow": 1})

    assert rows.tolist() == [[0.5, 1.0], [0.0, 0.0]]


def test_equal_labels_agree_and_a_shared_trifle_does_not_count() -> None:
    rows = torch.tensor([[1.0, 0.1, 0.0], [0.0, 0.1, 1.0]])

    agreement = overlap(rows, rows)

    assert torch.allclose(agreement.diagonal(), torch.ones(2))
    assert agreement[0, 1] == 0


def test_a_picture_wants_its_own_shape_more_than_one_of_the_same_name() -> None:
    agreement = torch.ones(2, 2)
    same = torch.eye(2, dtype=torch.bool)

    targets = pair_targets(agreement, same, same, instance_pair=True)

    assert targets[0, 0] == 1.0
    assert 0 < targets[0, 1] < 0.5


def test_the_right_order_costs_less_than_the_wrong_one() -> None:
    targets = torch.eye(3)

    right, wrong = contrast(10 * torch.eye(3), targets), contrast(-10 * torch.eye(3), targets)

    assert right < 0.01 < wrong


def test_rows_without_a_right_answer_cost_nothing() -> None:
    assert contrast(torch.randn(3, 4), torch.zeros(3, 4)) == 0


def test_a_row_near_its_prototype_costs_less() -> None:
    prototypes, labels = torch.eye(4), torch.tensor([[1.0, 0, 0, 0], [0, 0, 0, 0]])

    near = prototype_loss(torch.eye(4)[:2], prototypes, labels)
    far = prototype_loss(torch.eye(4)[2:], prototypes, labels)

    assert near < far
