"""Which places answer for which logo, and the loss.

Task-aligned assignment (Feng et al., "TOOD: Task-aligned One-stage Object Detection", 2021): the places whose score and
overlap together are best answer for a box, and their target score is how good they are. Overlap is learnt with the
generalised IoU (Rezatofighi et al. 2019).
"""

from __future__ import annotations

import torch

PLACES = 10
SCORE_POWER, OVERLAP_POWER = 0.5, 6.0
SCORE_WEIGHT, BOX_WEIGHT = 2.0, 1.5
NEGATIVE_WEIGHT = 0.75
# A box thinner than this many pixels is taken for this thick when its candidate places are looked for.
THINNEST = 10.0


def pairwise_iou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """IoU of every box of `a` (n, 4) with every box of `b` (m, 4)."""
    low = torch.maximum(a[:, None, :2], b[None, :, :2])
    high = torch.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(-1)
    areas = (a[:, 2:] - a[:, :2]).clamp(min=0).prod(-1)[:, None] + (b[:, 2:] - b[:, :2]).clamp(min=0).prod(-1)[None]
    return shared / (areas - shared).clamp(min=1e-6)


def generalised_iou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Generalised IoU of boxes one by one."""
    shared = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(-1)
    around = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).clamp(min=0).prod(-1)
    union = (a[:, 2:] - a[:, :2]).clamp(min=0).prod(-1) + (b[:, 2:] - b[:, :2]).clamp(min=0).prod(-1) - shared
    return shared / union.clamp(min=1e-6) - (around - union) / around.clamp(min=1e-6)


@torch.no_grad()
def assign(
    scores: torch.Tensor, boxes: torch.Tensor, centres: torch.Tensor, truth: torch.Tensor, labels: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """For one picture: the places that answer, the truth each answers for, and its target score."""
    middle = (truth[:, :2] + truth[:, 2:]) / 2
    half = ((truth[:, 2:] - truth[:, :2]) / 2).clamp(min=THINNEST / 2)
    inside = ((centres[:, None] - middle[None]).abs() < half[None]).all(-1)
    overlap = pairwise_iou(boxes, truth)
    quality = scores[:, labels].pow(SCORE_POWER) * overlap.pow(OVERLAP_POWER) * inside
    # Early on nothing overlaps: then the places nearest to the middle answer.
    nearness = 1e-9 / (1 + ((centres[:, None] - middle[None]) / half[None]).abs().sum(-1))
    best, index = (quality + nearness * inside).topk(min(PLACES, quality.shape[0]), dim=0)
    chosen = torch.zeros_like(quality).scatter_(0, index, best) * inside
    owner_quality, owner = chosen.max(1)
    places = torch.nonzero(owner_quality > 0)[:, 0]
    owner = owner[places]
    reached = quality[places, owner]
    # A truth's best place gets the best overlap that any place has with it.
    peak = torch.zeros(truth.shape[0]).scatter_reduce_(0, owner, reached, "amax")
    reach = torch.zeros(truth.shape[0]).scatter_reduce_(0, owner, overlap[places, owner], "amax")
    target = reached / peak[owner].clamp(min=1e-12) * reach[owner]
    return places, owner, target


def loss(
    logits: torch.Tensor, boxes: torch.Tensor, centres: torch.Tensor, truths: list[tuple[torch.Tensor, torch.Tensor]],
    ignored: list[torch.Tensor], judged: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss of scores and loss of boxes. `truths` holds boxes and labels a picture, `ignored` regions that don't count,
    and `judged` (pictures, labels) is 1 where a picture was looked through for a label."""
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
        places, owner, target = assign(scores[picture], boxes[picture].detach(), centres, truth, labels)
        targets[picture, places, labels[owner]] = target
        weights[picture, places] = 1
        box_loss = box_loss + ((1 - generalised_iou(boxes[picture, places], truth[owner])) * target).sum()
        total = total + target.sum()
    total = total.clamp(min=1.0)
    score_loss = focal(logits, targets, weights[..., None] * judged[:, None])
    return SCORE_WEIGHT * score_loss / total, BOX_WEIGHT * box_loss / total


def focal(logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Varifocal loss (Zhang et al. 2021): cross-entropy, weighed by the target where there is one, else by the squared score.

    Easy negatives weigh next to nothing, and positives keep their full weight: with a weight that falls as they are
    learnt (quality focal loss) the brands were told apart far later than the boxes were found. The weight takes part in
    no derivative, so the derivative by a logit is known: written down here, it spares the machine a dozen passes over a
    large and nearly empty tensor. What comes back has that derivative, and as its value the sum of the weighed
    distances, for the log.
    """
    with torch.no_grad():
        score = logits.sigmoid()
        weight = torch.where(targets > 0, targets, score.square().mul_(NEGATIVE_WEIGHT))
        slope = score.sub_(targets).mul_(weight).mul_(weights)
        value = slope.abs().sum()
    surrogate = (logits * slope).sum()
    return surrogate - surrogate.detach() + value
