"""What a user says of masks, and of the batches made of them; it needs nothing to be imported."""

from dataclasses import dataclass

from maxsup._fields import settle_fields

VOID = 255
"""The label of pixels that do not count, in every mask that has been read."""
MOST_CLASSES = 254
"""Labels are kept in 8 bits, of which one means void, and one is left to tell errors by."""


@dataclass(frozen=True)
class MaskSettings:
    """What the numbers or colours in masks mean.

    Raises:
        ValueError: A setting is out of its range, or two of them say different things.

    Example:
        >>> MaskSettings(classes=["road", "car"], void=[0], reduce_zero_label=True)
        Traceback (most recent call last):
        ValueError: reduce_zero_label makes 0 void already; leave 0 out of void.
    """

    mask_column: str | None = None
    """The column of the masks, where there are several columns of images."""
    classes: tuple[str, ...] | str | None = None
    """The names of the classes; or one word, ade20k, camvid, voc or a file with a name in each
    line. By default those that lie beside the data, else numbers."""
    void: tuple[int, ...] = (VOID,)
    """The labels, as they stand in the masks, of pixels that do not count."""
    reduce_zero_label: bool | None = None
    """Whether 0 is void and the classes begin with 1; by default in ADE20K's own layout alone."""
    colors: str | None = None
    """A table of the classes' colours, for masks in colours: a CSV with the columns name, r, g and
    b, or a JSON file of names with their [r, g, b]."""

    def __post_init__(self) -> None:
        settle_fields(self)
        if any(label < 0 for label in self.void):
            raise ValueError(f"void must be labels from 0 on; got {self.void}.")
        if self.reduce_zero_label and 0 in self.void:
            raise ValueError("reduce_zero_label makes 0 void already; leave 0 out of void.")
        if isinstance(self.classes, tuple) and len(self.classes) == 1:
            # One word of a command line, or of JSON, is no list of classes.
            object.__setattr__(self, "classes", self.classes[0])
        if isinstance(self.classes, tuple):
            _check_names(self.classes)
        if self.colors is not None:
            said = {
                "classes": self.classes is not None,
                "reduce_zero_label": self.reduce_zero_label is not None,
                "void": self.void != (VOID,),
            }
            for name, is_said in said.items():
                if is_said:
                    raise ValueError(
                        f"{name} has no effect beside colors: the table of colours names the "
                        "classes in their order, and what is called void there is void. Leave "
                        f"{name} away."
                    )


def _check_names(names: tuple[str, ...]) -> None:
    if len(names) < 2:
        raise ValueError(f"classes must be two names at least; got {names}.")
    if len(names) > MOST_CLASSES:
        raise ValueError(f"classes must be at most {MOST_CLASSES} names; got {len(names)}.")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"classes must be names that differ; got {', '.join(twice)} twice.")
