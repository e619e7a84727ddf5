"""Assignment of locations to boxes, and the loss.

Task-aligned assignment (Feng et al., "TOOD: Task-aligned One-stage Object Detection", 2021): the locations with the best
combination of score and IoU are assigned to a box, and that quality is their target score. Boxes are learned with the
generalised IoU (Rezatofighi et al. 2019).
"""

from __future__ import annotations

import torch

LOCATIONS_A_BOX = 10
SCORE_POWER, IOU_POWER = 0.5, 6.0
SCORE_WEIGHT, BOX_WEIGHT = 2.0, 1.5
NEGATIVE_WEIGHT = 0.75
# A box is assigned to strides of which its longer side is between so many.
MIN_STRIDES, MAX_STRIDES = 2.0, 24.0
FINEST, COARSEST = 8.0, 64.0
# A thinner box, in pixels, is treated as this thick in the search for candidate locations.
MIN_THICKNESS = 10.0


def pairwise_iou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """IoU of every box of `a` (n, 4) with every box of `b` (m, 4)."""
    low = torch.maximum(a[:, None, :2], b[None, :, :2])
    high = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    areas = (a[:, 2:] - a[:, :2]).clamp(min=0).prod(-1)[:, None] + (b[:, 2:] - b[:, :2]).clamp(min=0).prod(-1)[None]
    return shared / (areas - shared).clamp(min=1e-6)


def generalised_iou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Generalised IoU of each box of `a` with the same row of `b`."""
    shared = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(-1)
    around = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).clamp(min=0).prod(-1)
    union = (a[:, 2:] - a[:, :2]).clamp(min=0).prod(-1) + (b[:, 2:] - b[:, :2]).clamp(min=0).prod(-1) - shared
    return shared / union.clamp(min=1e-6) - (around - union) / around.clamp(min=1e-6)


@torch.no_grad()
def assign(
    scores: torch.Tensor, boxes: torch.Tensor, centres: torch.Tensor, strides: torch.Tensor, truth: torch.Tensor,
    labels: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """For one picture: the assigned locations, the index of the box of each, and its target score."""
    middle = (truth[:, :2] + truth[:, 2:]) / 2
    half = ((truth[:, 2:] - truth[:, :2]) / 2).clamp(min=MIN_THICKNESS / 2)
    inside = ((centres[:, None] - middle[None]).abs() < half[None]).all(-1)
    side = (half.amax(-1) * 2).clamp(MIN_STRIDES * FINEST, MAX_STRIDES * COARSEST)[None] / strides[:, None]
    inside &= (side >= MIN_STRIDES) & (side <= MAX_STRIDES)
    overlap = pairwise_iou(boxes, truth)
    quality = scores[:, labels].pow(SCORE_POWER) * overlap.pow(IOU_POWER) * inside
    # Early on nothing overlaps: then the locations nearest to the centre are assigned.
    nearness = 1e-9 / (1 + ((centres[:, None] - middle[None]) / half[None]).abs().sum(-1))
    best, index = (quality + nearness * inside).topk(min(LOCATIONS_A_BOX, quality.shape[0]), dim=0)
    chosen = torch.zeros_like(quality).scatter_(0, index, best) * inside
    owner_quality, owner = chosen.max(1)
    locations = torch.nonzero(owner_quality > 0)[:, 0]
    owner = owner[locations]
    reached = quality[locations, owner]
    # A box's best location gets, as its target, the best IoU that any location has with it.
    peak = torch.zeros(truth.shape[0]).scatter_reduce_(0, owner, reached, "amax")
    reach = torch.zeros(truth.shape[0]).scatter_reduce_(0, owner, overlap[locations, owner], "amax")
    target = reached / peak[owner].clamp(min=1e-12) * reach[owner]
    return locations, owner, target


def loss(
    logits: torch.Tensor, boxes: torch.Tensor, centres: torch.Tensor, strides: torch.Tensor,
    truths: list[tuple[torch.Tensor, torch.Tensor]],
    ignored: list[torch.Tensor], checked: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss of scores and loss of boxes. `truths` holds boxes and labels of each picture, `ignored` the regions that
    don't count, and `checked` (pictures, labels) is 1 where a picture was checked for a label."""
    targets = torch.zeros_like(logits)
    weights = torch.ones(logits.shape[:2])
    box_loss, total = logits.new_zeros(()), logits.new_zeros(())
    scores = logits.detach().sigmoid()
    for picture, (truth, labels) in enumerate(truths):
        for x1, y1, x2, y2 in ignored[picture].tolist():
            within = (centres[:, 0] > x1) & (centres[:, 0] < x2) & (centres[:, 1] > y1) & (centres[:, 1] < y2)
            weights[picture, within] = 0
        if not len(truth):
            continue
        locations, owner, target = assign(scores[picture], boxes[picture].detach(), centres, strides, truth, labels)
        targets[picture, locations, labels[owner]] = target
        weights[picture, locations] = 1
        box_loss = box_loss + ((1 - generalised_iou(boxes[picture, locations], truth[owner])) * target).sum()
        total = total + target.sum()
    total = total.clamp(min=1.0)
    score_loss = focal(logits, targets, weights[..., None] * checked[:, None])
    return SCORE_WEIGHT * score_loss / total, BOX_WEIGHT * box_loss / total


def focal(logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Varifocal loss (Zhang et al. 2021): cross-entropy, weighted by the target where there is one, else by the squared score.

    Easy negatives have almost no weight and positives keep theirs: with a weight that falls as they are learned (quality
    focal loss) brands were told apart far later than boxes were found. No gradient flows through the weight, so the
    derivative by a logit is known and written down here, which saves a dozen passes over a large and nearly empty tensor.
    The result has that derivative; its value is the sum of the weighted distances, for the log.
    """
    with torch.no_grad():
        score = logits.sigmoid()
        weight = torch.where(targets > 0, targets, score.square().mul_(NEGATIVE_WEIGHT))
        slope = score.sub_(targets).mul_(weight).mul_(weights)
        value = slope.abs().sum()
    surrogate = (logits * slope).sum()
    return surrogate - surrogate.detach() + value
