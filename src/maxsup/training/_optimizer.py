"""The optimiser of a recipe, and how its learning rate runs."""

import math

import torch
from timm.optim import param_groups_weight_decay
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from maxsup.recipes import Recipe


def build_optimizer(model: nn.Module, recipe: Recipe) -> Optimizer:
    """SGD or AdamW over the model's parameters, as the recipe sets them."""
    if recipe.decay_norm_and_bias:
        parameters = [{"params": [p for p in model.parameters() if p.requires_grad]}]
    else:
        # Vision transformers name more: the position embedding and the class token.
        spared: set[str] = getattr(model, "no_weight_decay", set)()
        parameters = param_groups_weight_decay(
            model, recipe.weight_decay, no_weight_decay_list=spared
        )
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(
            parameters, lr=recipe.lr, betas=recipe.betas, weight_decay=recipe.weight_decay
        )
    return torch.optim.SGD(
        parameters,
        lr=recipe.lr,
        momentum=recipe.momentum,
        nesterov=recipe.nesterov,
        weight_decay=recipe.weight_decay,
    )


def build_lr_scheduler(optimizer: Optimizer, recipe: Recipe, steps_per_epoch: int) -> LambdaLR:
    """The recipe's learning rate; step it once per optimiser step."""
    return LambdaLR(
        optimizer, lambda step: learning_rate(recipe, step, steps_per_epoch) / recipe.lr
    )


def learning_rate(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """The learning rate of an optimiser step.

    Args:
        recipe: Gives the shape.
        step: Steps taken before, from 0.
        steps_per_epoch: Optimiser steps in an epoch.

    Example:
        >>> from maxsup.recipes import get_recipe
        >>> recipe = get_recipe("cifar100-resnet18")
        >>> [round(learning_rate(recipe, epoch * 390, 390), 5) for epoch in (0, 59, 60, 120, 199)]
        [0.1, 0.1, 0.02, 0.004, 0.0008]
    """
    epoch = step / steps_per_epoch
    warmup = recipe.warmup_epochs
    if recipe.lr_schedule == "one-cycle" and warmup == 0:
        warmup = 0.3 * recipe.epochs
    if epoch < warmup:
        # The first step counts: a warm-up from 0 must not begin with a step that does nothing.
        done = (step + 1) / (warmup * steps_per_epoch + 1)
        return recipe.warmup_lr + (recipe.lr - recipe.warmup_lr) * done

    done = min((epoch - warmup) / (recipe.epochs - warmup), 1.0) if warmup < recipe.epochs else 1.0
    match recipe.lr_schedule:
        case "constant":
            return recipe.lr
        case "step":
            # In whole steps, so that no rounding of step / steps_per_epoch can shift a milestone.
            passed = sum(step >= round(each * steps_per_epoch) for each in recipe.milestones)
            return recipe.lr * recipe.gamma**passed
        case "cosine":
            falling = (1 + math.cos(math.pi * done)) / 2
        case "polynomial":
            falling = (1 - done) ** recipe.power
        case "one-cycle":
            falling = 1 - done
    return recipe.final_lr + (recipe.lr - recipe.final_lr) * falling
