"""What is known of one run of another program."""

from dataclasses import dataclass

from maxsup.data.predictions._part import Part


@dataclass(frozen=True, eq=False)
class RunPredictions:
    """The predictions of one run, checked in themselves."""

    test: Part
    train: Part | None = None
    """Of the training set; its ids play no part."""
    validation: Part | None = None
    """Of what a temperature is fitted on."""
    history: tuple[dict[str, float], ...] = ()
    """A row for each epoch, with ``epoch`` from 1."""
    classes: tuple[str, ...] | None = None
    """The names of the classes, where they are given."""
    passed_over: tuple[str, ...] = ()
    """What lies beside and means nothing here."""

    @property
    def parts(self) -> list[Part]:
        """Those that there are."""
        return [part for part in (self.test, self.train, self.validation) if part is not None]
