"""The command line of somebody's own training script, with places for method, seed and output."""

import re
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path

PLACEHOLDERS = ("method", "seed", "out")

VARIABLES = {"method": "MAXSUP_METHOD", "seed": "MAXSUP_SEED", "out": "MAXSUP_OUT"}
"""What a script finds in its environment, beside or instead of what its command line says."""

_PLACE = re.compile(r"\{([A-Za-z_]\w*)\}")
_SCRIPTS = (".py", ".sh", ".r", ".jl")


class Script:
    """A command that trains one model with one method and one seed.

    Args:
        template: As it would be typed, with ``{method}``, ``{seed}`` and ``{out}`` where these go;
            or with none of them, for a script that looks at its environment. No shell reads it:
            quotes group words, and nothing else is special.

    Raises:
        ValueError: It is empty, names another place, or some of the three and not all.

    Example:
        >>> script = Script("python train.py --loss {method} --seed {seed} --out {out}")
        >>> script.command("maxsup:alpha=0.1", 3, Path("p.npz"))[2:]
        ['--loss', 'maxsup:alpha=0.1', '--seed', '3', '--out', 'p.npz']
        >>> script.name
        'train'
    """

    def __init__(self, template: str) -> None:
        try:
            self.words = shlex.split(template)
        except ValueError as error:
            raise ValueError(f"--script cannot be read: {error}; got {template!r}.") from None
        if not self.words:
            raise ValueError("--script is empty; write the command that trains one model.")
        self.template = template
        named = {name for word in self.words for name in _PLACE.findall(word)}
        unknown = sorted(named - {*PLACEHOLDERS})
        if unknown:
            raise ValueError(
                f"--script has {_braced(unknown)}, which stands for nothing; there are "
                f"{_braced(PLACEHOLDERS)}. No shell reads the command, so it knows no variables."
            )
        lacking = [name for name in PLACEHOLDERS if name not in named]
        if named and lacking:
            variables = ", ".join(VARIABLES[name] for name in lacking)
            raise ValueError(
                f"--script has {_braced(sorted(named))} but not {_braced(lacking)}, so its runs "
                f"would not differ as they should. Say where they go; or name none of the three, "
                f"in a script that reads {variables} from its environment."
            )

    @property
    def name(self) -> str:
        """What it is called: the name of its file, else its first word."""
        files = [word for word in self.words if Path(word).suffix.lower() in _SCRIPTS]
        return Path((files or self.words)[0]).stem

    def check(self) -> None:
        """See that it can be started from here.

        Raises:
            ValueError: There is no such program or file.
        """
        program = self.words[0]
        if shutil.which(program) is None:
            raise ValueError(
                f"--script: there is no program {program!r} to be run. A script is given with what "
                "runs it, as in 'python train.py --loss {method}'."
            )
        for word in self.words[1:]:
            is_file = Path(word).suffix.lower() in _SCRIPTS and not word.startswith("-")
            if is_file and "=" not in word and not _PLACE.search(word) and not Path(word).exists():
                raise ValueError(f"--script: there is no file {word} in {Path.cwd()}.")

    def command(self, method: str, seed: int, out: Path) -> list[str]:
        """The words of one run; what is filled in stays within its word."""
        values = self.values(method, seed, out)
        return [_PLACE.sub(lambda place: values[place[1]], word) for word in self.words]

    def environment(self, method: str, seed: int, out: Path) -> dict[str, str]:
        """What is added to the environment of one run."""
        values = self.values(method, seed, out)
        return {VARIABLES[name]: value for name, value in values.items()}

    @staticmethod
    def values(method: str, seed: int, out: Path) -> dict[str, str]:
        """What stands for each place."""
        return {"method": method, "seed": str(seed), "out": str(out)}


def _braced(names: Sequence[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)
