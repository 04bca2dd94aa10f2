"""What a study consists of, and the file that keeps it."""

import contextlib
import dataclasses
import functools
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from maxsup._digests import DamagedFile, read_object, with_digest
from maxsup._fields import settle_fields
from maxsup._files import remove_temporary, write_text
from maxsup._formats import OtherFormat
from maxsup._lock import LOCK_FILE
from maxsup._method_names import canonical, directory_name
from maxsup._places import strangers
from maxsup._seeds import check_seed
from maxsup.data import DataSettings, short_name
from maxsup.evaluation import MEAN_IOU, measure_facts, segmentation_facts
from maxsup.recipes import Recipe
from maxsup.results import (
    DEFAULT_PRIMARY,
    Analysis,
    check_contrasts,
    find_primary,
    margin_of,
)
from maxsup.results.schema import MeasureFacts
from maxsup.study._backbones import FROM_SCRATCH, Backbones, find_backbones
from maxsup.study._named import check_named, check_once
from maxsup.study._runs_of_study import is_run
from maxsup.study._tuning import TuningSettings
from maxsup.study._variants import Variant, check_variants
from maxsup.training import (
    FORMAT,
    SETTINGS_FILE,
    Distillation,
    RunSettings,
    check_format,
    differences,
    has_kept,
    listed,
    read_distillation,
    read_parts,
    taught_otherwise,
)

STUDY_FILE = "study.json"
TRIALS = "tuning"
"""The directory in that of a study which holds its trials."""


class _Kept(NamedTuple):
    """What a study's file says; its methods need not be known here."""

    data: DataSettings
    recipe: Recipe
    methods: tuple[str, ...]
    seeds: tuple[int, ...]
    baseline: str
    primary: str
    margin: float | None
    contrasts: tuple[tuple[str, str], ...]
    tuning: TuningSettings | None
    resample_data: bool
    distillation: Distillation | None
    backbones: tuple[str, ...]


def _is_there(backbone: str) -> bool:
    try:
        return bool(find_backbones([backbone]))
    except ValueError:
        return False


@dataclass(frozen=True)
class StudySettings:
    """Methods × seeds on the same data with the same recipe.

    Example:
        >>> from maxsup.recipes import get_recipe
        >>> study = StudySettings(DataSettings("digits"), get_recipe("digits"), seeds=(0, 1))
        >>> study.methods, study.baseline, len(study.plan())
        (('baseline', 'label-smoothing', 'maxsup'), 'baseline', 6)

    Raises:
        ValueError: There is no method or seed, one is named twice, unknown or out of its range, or
            the baseline is not among the methods.
    """

    data: DataSettings
    """What to train on."""
    recipe: Recipe
    """How every model is trained."""
    methods: tuple[str, ...] = ("baseline", "label-smoothing", "maxsup")
    """The names of the methods to compare, with the coefficients that are set for them, as in
    ``maxsup:alpha=0.1..0.2``; a method may be there several times with different values. ``lr`` is
    the learning rate, where it is to be another than the recipe's: ``baseline:lr=0.05``; and
    ``teacher`` says which of several teaches, see :attr:`distillation`."""
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)
    """The seeds that each method is trained with."""
    baseline: str = ""
    """The name of the method that the others are measured against; by default the first one."""
    primary: str = DEFAULT_PRIMARY
    """The measure of the test set that the verdict speaks of, such as ``accuracy`` or ``nll``; for
    segmentation ``mean_iou`` by default."""
    margin: float | None = None
    """The largest difference that does not matter, in points where the primary measure is shown in
    per cent, else in its own unit; by default 0.5 points, or 0.01."""
    contrasts: tuple[tuple[str, str], ...] = ()
    """Pairs of methods to conclude on, the second being what the first is compared with; by default
    each against the baseline, and MaxSup against label smoothing where both are there, as methods,
    teachers or backbones."""
    tuning: TuningSettings | None = None
    """How the strength of each method whose name sets none is chosen beforehand; then it is trained
    at the chosen one as well, and the contrasts are of these. By default nothing is chosen."""
    resample_data: bool = False
    """Whether each seed has parts and label noise of its own, the same for all methods: what is
    drawn from the data by its ``data_seed`` is drawn by ``data_seed`` + seed. Then an interval
    speaks of other splits of the data too."""
    distillation: Distillation | None = None
    """The teacher that every run learns from beside its labels: one run for all; the directory of a
    method's runs, where each seed has that of its own; or a study's, where names say which of its
    methods teaches, ``baseline:teacher=maxsup``, or nobody, ``baseline:teacher=none``.
    :func:`maxsup.study.with_teachers` names each method once for each teacher."""

    backbones: tuple[str, ...] = ()
    """For segmentation, the trained backbones that method names can have, as in
    ``baseline:backbone=maxsup``; see :func:`maxsup.study.find_backbones`, and
    :func:`maxsup.study.with_backbones`, which names each method once for each."""

    def __post_init__(self) -> None:
        settle_fields(self)
        object.__setattr__(self, "methods", tuple(map(canonical, self.methods)))
        object.__setattr__(self, "baseline", canonical(self.baseline))
        if not self.baseline and self.methods:
            object.__setattr__(self, "baseline", self.methods[0])
        check_named(self.methods, self.seeds)
        check_once("method", self.methods)
        check_variants(self.methods, self.recipe)
        if self.baseline not in self.methods:
            raise ValueError(
                f"The baseline {self.baseline!r} is not among the methods "
                f"({', '.join(self.methods)}). Add it to --methods, or name one of them with "
                "--baseline."
            )
        if self.resample_data:
            check_seed("data_seed + seed", self.data.data_seed + max(self.seeds))
        if self.recipe.is_segmentation and self.primary == DEFAULT_PRIMARY:
            object.__setattr__(self, "primary", MEAN_IOU)
        margin_of(find_primary(self.measures(), self.primary), self.margin)
        object.__setattr__(self, "contrasts", check_contrasts(self.contrasts, self.methods))
        self._check_taught()
        self._check_backbones()
        if self.tuning is not None and self.recipe.is_segmentation:
            raise ValueError(
                "tuning: strengths are chosen by how images are classified, which segmentation "
                "has none of. Leave --tune out, and name the strengths: maxsup:alpha=0.1."
            )
        if self.tuning is not None and self.resample_data:
            raise ValueError(
                "tuning and resample_data: an image that one seed is tested on would choose the "
                "strength of another. Take one of the two."
            )
        if self.tuning is not None:
            both = sorted({*self.seeds} & {*self.tuning.trial_seeds})
            if both:
                raise ValueError(
                    f"seeds: {both[0]} is one of those that strengths are chosen with; take others."
                )

    def _check_taught(self) -> None:
        """See that it is known of each method who teaches it.

        Raises:
            ValueError: It is not.
        """
        for method in self.methods:
            named = Variant.read(method).teacher
            if named is not None and self.distillation is None:
                raise ValueError(
                    f"{method}: teacher={named} says which of several teaches; name their "
                    "directory with --teacher."
                )
        taught = self.distillation
        if taught is not None and self.tuning is not None and not is_run(taught.place):
            raise ValueError(
                "tuning: trials have seeds of their own, for which there is no teacher. Name one "
                "run with --teacher to teach all, or leave --tune out."
            )

    def _check_backbones(self) -> None:
        """See that backbones are for segmentation, and that each that is named is known.

        Raises:
            ValueError: They are not, or one is not.
        """
        named = {method: Variant.read(method).backbone for method in self.methods}
        if self.backbones and not self.recipe.is_segmentation:
            raise ValueError(
                f"backbones: recipe {self.recipe.name} trains to classify images. Name one for "
                "segmentation, such as camvid-upernet, or choose a --head."
            )
        for method, backbone in named.items():
            if backbone is not None and backbone not in self.found_backbones:
                known = ", ".join(self.found_backbones) or "none"
                raise ValueError(
                    f"{method}: no backbone is called {backbone}; there are: {known}. Name its "
                    "place with --backbones."
                )

    @functools.cached_property
    def found_backbones(self) -> Backbones:
        """Where each of the backbones is, by its name."""
        return find_backbones(self.backbones)

    def measures(self) -> list[MeasureFacts]:
        """What is measured of each run, in the order of the table."""
        if self.recipe.is_segmentation:
            return segmentation_facts(multiscale=bool(self.recipe.eval_scales))
        return measure_facts(probe=self.data.probe_label is not None)

    def analysis(self) -> Analysis:
        """The question that is put to the runs' numbers."""
        return Analysis(self.baseline, self.primary, self.margin, self.contrasts)

    def plan(self) -> list[tuple[str, int]]:
        """Method and seed of every run, in the order to train them.

        By seed first: a study looked at half-way holds whole pairs.
        """
        return [(method, seed) for seed in self.seeds for method in self.methods]

    def table(self) -> list[tuple[str, int]]:
        """Method and seed of every run, in the order to show them."""
        return [(method, seed) for method in self.methods for seed in self.seeds]

    def run(self, method: str, seed: int) -> RunSettings:
        """The settings of one of the study's runs."""
        return Variant.read(method).run(
            seed,
            self.recipe,
            self.data_of(seed),
            distillation=self.distillation,
            backbones=self.found_backbones,
        )

    def data_of(self, seed: int) -> DataSettings:
        """What the runs of a seed are trained on.

        >>> from maxsup.recipes import get_recipe
        >>> data = DataSettings("digits", data_seed=7)
        >>> study = StudySettings(data, get_recipe("digits"), resample_data=True)
        >>> study.data_of(3).data_seed
        10
        """
        if not self.resample_data:
            return self.data
        return replace(self.data, data_seed=self.data.data_seed + seed)

    def run_directory(self, directory: Path, method: str, seed: int) -> Path:
        """Where a run is kept within the study's directory."""
        return directory / directory_name(method) / f"seed-{seed}"

    def check(self, directory: Path) -> None:
        """See that ``directory`` is this study's, or can become it.

        Methods and seeds may be added to a study later, or left out: its finished runs are used
        again. Whether the data is still the same, each run sees for itself. A study of which
        nothing is trained yet has nothing to lose, and another one may take its place.

        Raises:
            ValueError: The directory holds a study with other data or another recipe, or one that
                names the same method otherwise, or files that are no study.
        """
        self._kept(directory)

    def with_kept_backbones(self, directory: Path) -> "StudySettings":
        """The study with the backbones of earlier commands in its directory, which come first.

        So what was fine-tuned on them stays, though they are not named again.

        Raises:
            ValueError: One of them has the name of another that is named now, or what was trained
                from scratch would now have another architecture.
        """
        kept = self._kept(directory)
        earlier = () if kept is None else tuple(filter(_is_there, kept.backbones))
        if not earlier:
            return self
        merged = dataclasses.replace(
            self, backbones=tuple(dict.fromkeys((*earlier, *self.backbones)))
        )
        merged._check_from_scratch(directory)
        return merged

    def gone_backbones(self, directory: Path) -> dict[str, str]:
        """By name, where backbones of earlier commands lay that are not there any more."""
        kept = self._kept(directory)
        gone = () if kept is None else (each for each in kept.backbones if not _is_there(each))
        named = {name: place for name, _, place in (each.partition("=") for each in gone)}
        return {name: named[name] for name in named if name not in self.found_backbones}

    def _check_from_scratch(self, directory: Path) -> None:
        """See that finished runs from scratch have the architecture of the backbones of now.

        Raises:
            ValueError: One has another, as there were no backbones then, or others.
        """
        for method, seed in self.plan():
            place = self.run_directory(directory, method, seed)
            if Variant.read(method).backbone != FROM_SCRATCH or not has_kept(place):
                continue
            with contextlib.suppress(DamagedFile, OSError):  # it is trained again
                there = RunSettings.load_kept(place / SETTINGS_FILE).recipe.model
                now = self.run(method, seed).recipe.model
                if there != now:
                    others = [name for name in self.found_backbones if name != FROM_SCRATCH]
                    raise ValueError(
                        f"{place} was trained from scratch as {there}; beside "
                        f"{', '.join(others) or 'no backbone'} it is to be {now}, the architecture "
                        "of the first backbone, or the recipe's where there is none. Name another "
                        "directory with --out, where it is trained as that, or leave "
                        f"{FROM_SCRATCH} out here."
                    )

    def claim(self, directory: Path) -> None:
        """Make ``directory``, which this process holds, this study's.

        Raises:
            ValueError: See :meth:`check`.
            OSError: Its file could not be written.
        """
        kept = self._kept(directory)
        directory.mkdir(parents=True, exist_ok=True)
        remove_temporary(directory)
        fields = dataclasses.asdict(self)
        # One by one: what comes to a study of theirs later is not of this one.
        backbones = [f"{name}={place}" for name, place in self.found_backbones.items()]
        fields["backbones"] = backbones
        if kept is not None:
            for name, of_kept, of_self in (
                ("backbones", kept.backbones, backbones),
                ("methods", kept.methods, self.methods),
                ("seeds", kept.seeds, self.seeds),
            ):
                fields[name] = list(dict.fromkeys((*of_kept, *of_self)))
        content = with_digest({"format": FORMAT, **fields})
        write_text(directory / STUDY_FILE, json.dumps(content, indent=2, ensure_ascii=False) + "\n")

    def _kept(self, directory: Path) -> _Kept | None:
        """What the study's file says, where the directory is this study's already."""
        path = directory / STUDY_FILE
        if not path.exists():
            names = strangers(directory, known=(LOCK_FILE,))
            if names and not self._has_run(directory):
                raise ValueError(
                    f"{directory} holds files that are no study ({listed(names)}). Name a new or "
                    "empty directory with --out."
                )
            return None
        try:
            kept = _read(path)
        except DamagedFile as error:
            if self._has_run(directory):
                return None
            raise ValueError(
                f"{error} No run of this study lies beside it. Name another directory with --out, "
                "or remove this one."
            ) from error
        differing = differences("data", kept.data, self.data)
        differing += differences("recipe", kept.recipe, self.recipe)
        if kept.resample_data != self.resample_data:
            differing.append(f"resample_data: {kept.resample_data} there, {self.resample_data} now")
        differing += taught_otherwise(kept.distillation, self.distillation)
        same = self._same_as_kept(kept)
        if not differing and not same:
            return kept
        if not any(has_kept(path.parent) for path in _runs(directory)):
            return None
        if not differing:
            raise ValueError(f"{directory} holds a study with other names. {same}")
        raise ValueError(
            f"{directory} holds another study, with other settings ({'; '.join(differing)}). Name "
            "another directory with --out, or use the same settings."
        )

    def _same_as_kept(self, kept: _Kept) -> str:
        """Which of the methods the study has under another name, in words; empty if none."""
        for method in kept.methods:
            if method in self.methods or not _is_known(method):
                continue
            try:
                check_variants((method, *self.methods), self.recipe)
            except ValueError as error:
                return str(error)
        return ""

    def _has_run(self, directory: Path) -> bool:
        """Whether one of the runs that lie in a directory is of this study."""
        for path in _runs(directory):
            with contextlib.suppress(ValueError, OSError):
                kept = RunSettings.load_kept(path)
                # A trial may have held out a validation part.
                data = replace(kept.data, validation=self.data.validation)
                run = replace(kept, data=data, measured_on="test")
                variant = Variant.of_run(run, path.parent.parent.name, self.found_backbones)
                if variant is not None and run == self.run(str(variant), run.seed):
                    return True
        return False

    def default_directory(self) -> Path:
        """Where the study is kept unless a directory is named.

        >>> from maxsup.recipes import get_recipe
        >>> data = DataSettings("digits", label_noise=0.4)
        >>> StudySettings(data, get_recipe("digits")).default_directory()
        PosixPath('runs/digits-noise-0.4')
        """
        name = short_name(self.data).replace("/", "-")
        if self.data.fraction < 1:
            name += f"-fraction-{self.data.fraction:g}"
        if self.data.imbalance > 1:
            name += f"-imbalance-{self.data.imbalance:g}"
        if self.data.label_noise:
            name += f"-noise-{self.data.label_noise:g}"
        if self.resample_data:
            name += "-resampled"
        if self.distillation is not None:
            name += "-distilled"
        if self.recipe.head is not None:
            name += f"-{self.recipe.head}" + ("-frozen" if self.recipe.freeze_backbone else "")
        return Path("runs") / name

    @classmethod
    def load(cls, path: Path) -> "StudySettings":
        """Read a ``study.json``, of this version of maxsup or an earlier one.

        Raises:
            ValueError: The file is not one, or was written by a newer version.
        """
        return cls(**_read(path)._asdict())


def _is_known(method: str) -> bool:
    try:
        Variant.read(method).facts()
    except ValueError:
        return False
    return True


def _read(path: Path) -> _Kept:
    fields = read_object(path.read_bytes(), path)
    try:
        tuning = fields.get("tuning")
        check_format(fields, path)
        recipe, data = read_parts(fields)
        return _Kept(
            data,
            recipe,
            tuple(fields["methods"]),
            tuple(fields["seeds"]),
            fields["baseline"],
            fields.get("primary", DEFAULT_PRIMARY),
            fields.get("margin"),
            tuple((method, against) for method, against in fields.get("contrasts", ())),
            None if tuning is None else TuningSettings(**tuning),
            fields.get("resample_data", False),
            read_distillation(fields),
            tuple(fields.get("backbones", ())),
        )
    except OtherFormat:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise DamagedFile(f"{path} is no settings file of a study: {error!r}.") from error


def _runs(directory: Path) -> list[Path]:
    """The settings files of the runs in a study's directory, and of its trials."""
    return [
        *directory.glob(f"*/seed-*/{SETTINGS_FILE}"),
        *directory.glob(f"{TRIALS}/*/seed-*/{SETTINGS_FILE}"),
    ]
