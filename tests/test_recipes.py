import dataclasses
import math

import pytest

from maxsup.recipes import Recipe, all_recipes, get_recipe, recipe_page
from maxsup.training._optimizer import build_optimizer, learning_rate

CIFAR100 = {
    "cifar100-resnet18": ("resnet18", False),
    "cifar100-resnet50": ("resnet50", False),
    "cifar100-resnet101": ("resnet101", False),
    "cifar100-mobilenetv2": ("mobilenetv2_100", True),
}


@pytest.mark.parametrize("name", CIFAR100)
def test_cifar100_recipes_are_the_papers(name: str) -> None:
    recipe = get_recipe(name)
    assert (recipe.model, recipe.zero_init) == CIFAR100[name]
    assert (recipe.epochs, recipe.batch_size, recipe.optimizer) == (200, 128, "sgd")
    assert (recipe.lr, recipe.momentum, recipe.nesterov) == (0.1, 0.9, True)
    assert (recipe.lr_schedule, recipe.milestones, recipe.gamma) == ("step", (60, 120, 160), 0.2)
    assert (recipe.weight_decay, recipe.decay_norm_and_bias) == (5e-4, True)
    assert (recipe.crop_padding, recipe.flip, recipe.small_stem) == (4, True, True)
    assert (recipe.warmup_epochs, recipe.mixup, recipe.cutmix, recipe.cutout) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("imagenet-resnet18", "resnet18"),
        ("imagenet-resnet50", "resnet50"),
        ("imagenet-resnet101", "resnet101"),
        ("imagenet-mobilenetv2", "mobilenetv2_100"),
    ],
)
def test_imagenet_convnets_of_table_4(name: str, model: str) -> None:
    recipe = get_recipe(name)
    assert recipe.model == model
    assert recipe.zero_init == (model == "mobilenetv2_100")
    assert (recipe.epochs, recipe.batch_size, recipe.optimizer) == (200, 2048, "sgd")
    assert (recipe.lr, recipe.momentum, recipe.nesterov) == (0.85, 0.9, False)
    assert (recipe.lr_schedule, recipe.warmup_epochs, recipe.final_lr) == ("cosine", 0, 0)
    assert (recipe.weight_decay, recipe.decay_norm_and_bias) == (1e-4, False)
    assert (recipe.image_size, recipe.eval_size, recipe.eval_crop) == (224, 256, 0.875)
    assert (recipe.crop_scale, recipe.crop_ratio) == ((0.08, 1.0), (0.75, 4 / 3))
    assert recipe.random_resized_crop
    assert recipe.flip
    assert (recipe.blur_pool, recipe.sync_batchnorm, recipe.channels_last) == (True, True, True)
    assert recipe.precision == "bf16"
    assert (recipe.evaluate_flip, recipe.ema_decay) == (False, None)


def test_imagenet_after_torchvision() -> None:
    recipe = get_recipe("imagenet-torchvision-v1")
    assert (recipe.epochs, recipe.batch_size, recipe.lr, recipe.momentum) == (90, 512, 0.1, 0.9)
    assert (recipe.lr_schedule, recipe.milestones, recipe.gamma) == ("step", (30, 60), 0.1)
    assert (recipe.weight_decay, recipe.decay_norm_and_bias) == (1e-4, True)
    assert (recipe.eval_size, recipe.eval_crop, recipe.blur_pool) == (224, 0.875, False)


def test_imagenet_after_ffcv() -> None:
    recipe = get_recipe("imagenet-ffcv-resnet18")
    assert (recipe.epochs, recipe.batch_size, recipe.lr) == (88, 1024, 0.5)
    assert (recipe.weight_decay, recipe.evaluate_flip, recipe.eval_size) == (5e-5, True, 256)
    sides = [recipe.resolution(epoch) for epoch in range(88)]
    assert (sides[0], sides[65], sides[76], sides[-1]) == (160, 160, 192, 192)
    rates = [learning_rate(recipe, step, 10) for step in range(880)]
    assert rates.index(max(rates)) == 20
    assert max(rates) == pytest.approx(0.5)
    assert rates[-1] < 0.003


def test_imagenet_deit_small() -> None:
    recipe = get_recipe("imagenet-deit-small")
    assert (recipe.optimizer, recipe.lr, recipe.batch_size) == ("adamw", 1e-3, 1024)
    assert recipe.lr == 5e-4 * recipe.batch_size / 512
    assert (recipe.epochs, recipe.warmup_epochs, recipe.warmup_lr) == (300, 5, 1e-6)
    assert (recipe.lr_schedule, recipe.final_lr) == ("cosine", 1e-5)
    assert (recipe.weight_decay, recipe.decay_norm_and_bias) == (0.05, False)
    assert (recipe.rand_augment, recipe.erasing) == ("rand-m9-mstd0.5-inc1", 0.25)
    assert (recipe.drop_path, recipe.repeats, recipe.interpolation) == (0.1, 3, "bicubic")
    assert (recipe.ema_decay, recipe.evaluate_ema) == (0.99996, False)
    assert (recipe.mixup, recipe.cutmix) == (0, 0)


def test_cifar10_with_a_long_tail() -> None:
    recipe = get_recipe("cifar10-lt-resnet32")
    assert (recipe.epochs, recipe.batch_size, recipe.lr) == (200, 128, 0.1)
    assert (recipe.weight_decay, recipe.warmup_epochs) == (2e-4, 5)
    assert [round(learning_rate(recipe, epoch, 1), 9) for epoch in (159, 160, 180)] == [
        0.1,
        0.001,
        0.00001,
    ]


@pytest.mark.parametrize("name", ["cub-resnet50", "cars-resnet50"])
def test_fine_tuning_starts_from_published_weights_and_says_what_is_not_known(name: str) -> None:
    assert get_recipe(name).weights == "timm"
    assert "does not say how these models were trained" in " ".join(recipe_page(name).split())


def test_recipe_says_its_command() -> None:
    for recipe in all_recipes():
        assert "maxsup compare" in recipe_page(recipe.name)
        assert get_recipe(recipe.name) == recipe


def test_recipe_describes_every_setting() -> None:
    """The command line shows these sentences."""
    import inspect

    source = inspect.getsource(Recipe)
    for field in dataclasses.fields(Recipe):
        after = source.split(f"\n    {field.name}: ")[1].split("\n")[1]
        assert after.strip().startswith('"""'), field.name


PHOTOGRAPHS = {"random_resized_crop": True, "image_size": 16}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1; got 0"),
        ({"epochs": 10**20}, "epochs must be at most 1,000,000; got 100,000,000,000"),
        ({"epochs": 2.5}, "epochs must be a whole number; got 2.5"),
        ({"epochs": True}, "epochs must be a whole number; got True"),
        ({"lr": 0}, "lr must be positive; got 0"),
        ({"lr": "0.1"}, "lr must be a finite number; got '0.1'"),
        ({"momentum": 1.0}, "momentum must be below 1; got 1.0"),
        ({"betas": (0.9, 1.0)}, r"betas must lie in \[0, 1\); got 0.9 1"),
        ({"betas": (0.9,)}, r"betas must be 2 finite numbers; got \(0.9,\)"),
        ({"optimizer": "adam"}, "optimizer must be one of sgd, adamw; got 'adam'"),
        ({"image_size": 0}, "image_size must be at least 1; got 0"),
        ({"image_size": 10**6}, "image_size must be at most 16,384"),
        ({"batch_size": 0}, "batch_size must be at least 1; got 0"),
        ({"milestones": (-3, 5)}, "milestones must be rising epochs above 0; got -3 5"),
        ({"milestones": (5, 5)}, "milestones must be rising epochs above 0; got 5 5"),
        ({"milestones": (7, 5)}, "milestones must be rising epochs above 0; got 7 5"),
        (
            {"lr_schedule": "step", "milestones": (60, 120), "epochs": 120},
            r"milestones \(60 120\) must lie before the end of the training, which has 120 epochs",
        ),
        ({"batch_size": 10, "accumulate": 3}, r"batch_size \(10\) must be a multiple"),
        ({"ema_decay": 1.0}, "ema_decay must lie between 0 and 1"),
        ({"evaluate_ema": True}, "evaluate_ema needs ema_decay"),
        ({"clip_norm": 0.0}, "clip_norm must be positive"),
        ({"lr_schedule": "step"}, "needs milestones"),
        ({"momentum": 0.0, "nesterov": True}, "nesterov needs a momentum"),
        ({"erasing": 0.5}, "erasing is for photographs: it needs random_resized_crop"),
        ({"repeats": 3}, "repeats is for photographs"),
        ({"random_resized_crop": True}, "needs image_size"),
        (
            {"random_resized_crop": True, "image_size": 8, "crop_padding": 1},
            r"Leave it at 0 \(--crop-padding\)",
        ),
        ({"crop_scale": (1.0, 0.1)}, "crop_scale must be two positive numbers"),
        ({"eval_crop": 1.5}, r"eval_crop must lie in \(0, 1\]"),
        ({"erasing": 1.5}, "erasing is a fraction"),
        ({"rand_augment": "m9"}, "rand_augment must be written as timm does"),
        ({"resolution_epochs": (9, 2)}, "resolution_epochs must be rising"),
        (
            {
                "random_resized_crop": True,
                "image_size": 64,
                "start_image_size": 32,
                "resolution_epochs": (65, 76),
                "epochs": 30,
            },
            r"resolution_epochs \(65 76\) must lie before the end",
        ),
        ({"workers": -1}, "workers must be at least 0; got -1"),
        ({"checkpoint_steps": 0}, "checkpoint_steps must be at least 1; got 0"),
        ({"workers": 2}, "workers is for photographs"),
        ({"interpolation": "bicubic"}, "interpolation is for photographs"),
        (
            {"milestones": (3,)},
            r"milestones is for lr_schedule 'step', .* Leave it away \(--milestones\)",
        ),
        ({"lr_schedule": "constant", "final_lr": 0.1}, "final_lr is for lr_schedule 'cosine'"),
        ({"warmup_lr": 0.1}, "warmup_lr has no effect without warmup_epochs"),
        ({"optimizer": "adamw", "nesterov": True}, "nesterov is for optimizer 'sgd'"),
        ({"betas": (0.9, 0.95)}, "betas is for optimizer 'adamw'"),
        ({"head": "linear", "keep_outputs": False}, r"Leave it at True \(--keep-outputs\)"),
        ({**PHOTOGRAPHS, "start_image_size": 8}, "start_image_size has no effect without res"),
        ({**PHOTOGRAPHS, "resolution_epochs": (1, 2)}, "resolution_epochs has no effect without"),
    ],
)
def test_recipe_refuses_settings_out_of_range_or_without_effect(
    changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Recipe(name="r", model="m", **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "field", [f.name for f in dataclasses.fields(Recipe) if "float" in str(f.type)]
)
@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan, 10**400])
def test_recipe_refuses_numbers_that_are_none(field: str, value: float) -> None:
    of = getattr(get_recipe("digits"), field)
    found: object = (value, value) if isinstance(of, tuple) else value
    with pytest.raises(
        ValueError, match=f"^{field} must be .*finite number.*; got .?(inf|-inf|n|1)"
    ):
        Recipe(name="r", model="m", **{field: found})  # type: ignore[arg-type]


@pytest.mark.parametrize("epochs", [1, 3, 30, 201])
@pytest.mark.parametrize("name", [recipe.name for recipe in all_recipes()])
def test_recipe_keeps_its_course_over_more_or_fewer_epochs(name: str, epochs: int) -> None:
    recipe = get_recipe(name)
    adapted = recipe.adapted(epochs=epochs)
    steps = 840  # in which every milestone of a listed recipe falls on a step or next to one
    before = [learning_rate(recipe, round(at * recipe.epochs * steps), steps) for at in SEEN]
    after = [learning_rate(adapted, round(at * epochs * steps), steps) for at in SEEN]
    # A warm-up's first step counts, which is a larger part of a shorter one.
    assert after == pytest.approx(before, abs=recipe.lr * 0.05)
    assert [adapted.resolution(round(at * epochs)) for at in (0, 1)] == [
        recipe.resolution(round(at * recipe.epochs)) for at in (0, 1)
    ]
    others = {"epochs", "milestones", "warmup_epochs", "resolution_epochs", "iterations"}
    if recipe.iterations is not None:
        assert adapted.iterations == recipe.iterations * epochs // recipe.epochs
    for field in dataclasses.fields(Recipe):
        if field.name not in others:
            assert getattr(adapted, field.name) == getattr(recipe, field.name), field.name


SEEN = (0.01, 0.1, 0.29, 0.31, 0.45, 0.59, 0.61, 0.7, 0.79, 0.81, 0.89, 0.91, 0.97)
"""Fractions of a training, none of them at a milestone of a listed recipe."""


def test_milestones_go_with_the_epochs() -> None:
    recipe = get_recipe("cifar100-resnet18")
    assert recipe.adapted(epochs=30).milestones == (9, 18, 24)
    assert recipe.adapted(epochs=1).milestones == (0.3, 0.6, 0.8)
    assert recipe.adapted(epochs=30, milestones=(10, 20)).milestones == (10, 20)
    assert recipe.adapted(epochs=200) == recipe
    assert get_recipe("imagenet-deit-small").adapted(epochs=30).warmup_epochs == 0.5


def test_learning_rates_go_with_the_batch_size() -> None:
    recipe = get_recipe("imagenet-resnet18")
    assert recipe.adapted(batch_size=32).lr == pytest.approx(0.85 * 32 / 2048, rel=1e-5)
    assert recipe.adapted(batch_size=32, lr=0.85).lr == 0.85
    deit = get_recipe("imagenet-deit-small")
    small = deit.adapted(batch_size=512)
    assert (small.lr, small.warmup_lr, small.final_lr) == (5e-4, 5e-7, 5e-6)
    # Who names the peak has all of them in hand.
    named = deit.adapted(batch_size=512, lr=1e-3)
    assert (named.warmup_lr, named.final_lr) == (deit.warmup_lr, deit.final_lr)
    assert dataclasses.replace(recipe, batch_size=32).lr == 0.85


def test_adapted_recipe_refuses_what_a_recipe_does() -> None:
    recipe = get_recipe("cifar100-resnet18")
    for changes, message in (
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"epochs": 10**400}, "epochs must be at most"),
        ({"epochs": "30"}, "epochs must be a whole number; got '30'"),
        ({"batch_size": -8}, "batch_size must be at least 1"),
        ({"epochs": 30, "milestones": (60,)}, "must lie before the end"),
    ):
        with pytest.raises(ValueError, match=message):
            recipe.adapted(**changes)


def rates(steps_per_epoch: int = 10, **changes: object) -> list[float]:
    recipe = Recipe(name="r", model="m", lr=1.0, epochs=10, **changes)  # type: ignore[arg-type]
    return [learning_rate(recipe, step, steps_per_epoch) for step in range(10 * steps_per_epoch)]


def test_step_schedule() -> None:
    found = rates(lr_schedule="step", milestones=(3, 7), gamma=0.2)
    assert found[:30] == [1.0] * 30
    assert found[30:70] == pytest.approx([0.2] * 40)
    assert found[70:] == pytest.approx([0.04] * 30)


def test_milestones_are_exact_for_any_number_of_steps() -> None:
    for steps_per_epoch in (1, 3, 7, 19, 390, 391):
        found = rates(steps_per_epoch, lr_schedule="step", milestones=(3,), gamma=0.5)
        assert found.index(0.5) == 3 * steps_per_epoch


def test_cosine_schedule_with_warmup() -> None:
    found = rates(lr_schedule="cosine", warmup_epochs=2, warmup_lr=0.1, final_lr=0.01)
    rise = found[:20]
    assert rise == sorted(rise)
    assert 0.1 < rise[0] < rise[-1] < 1
    assert found[20] == 1.0
    assert found[60] == pytest.approx(0.01 + 0.99 * (1 + math.cos(math.pi / 2)) / 2)
    assert found[20:] == sorted(found[20:], reverse=True)
    assert found[-1] > 0.01


def test_one_cycle_and_constant_schedules() -> None:
    found = rates(lr_schedule="one-cycle")
    assert found.index(max(found)) == 30
    assert found[65] == pytest.approx(0.5)
    assert set(rates(lr_schedule="constant")) == {1.0}


def test_weight_decay_spares_what_a_vision_transformer_names() -> None:
    from maxsup.models import create_model

    model = create_model("deit_tiny_patch16_224", num_classes=10)
    recipe = Recipe(name="r", model="m", weight_decay=0.05, decay_norm_and_bias=False)
    groups = build_optimizer(model, recipe).param_groups
    decayed = {id(p) for group in groups if group["weight_decay"] for p in group["params"]}
    named = dict(model.named_parameters())
    assert {n for n in ("pos_embed", "cls_token") if id(named[n]) in decayed} == set()
    assert id(named["patch_embed.proj.weight"]) in decayed


def test_weight_decay_spares_norms_and_biases_where_asked() -> None:
    from maxsup.models import create_model

    model = create_model("small-convnet", num_classes=10)
    recipe = dataclasses.replace(get_recipe("digits"), decay_norm_and_bias=False)
    groups = build_optimizer(model, recipe).param_groups
    decayed = {id(p) for group in groups if group["weight_decay"] for p in group["params"]}
    for name, parameter in model.named_parameters():
        assert (id(parameter) in decayed) == (parameter.dim() > 1), name
    everywhere = build_optimizer(model, get_recipe("digits")).param_groups
    assert all(group["weight_decay"] == 5e-4 for group in everywhere)
