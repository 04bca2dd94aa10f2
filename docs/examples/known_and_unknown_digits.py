"""Write scikit-learn's digits as two folders of images: 0 to 7 to learn, 8 and 9 never seen.

python known_and_unknown_digits.py path/to/digits
"""

import argparse
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

UNKNOWN = (8, 9)


def write(out: Path) -> None:
    """Write known/train, known/test and unknown, with a folder for each digit."""
    digits = load_digits()
    train, _ = train_test_split(
        range(len(digits.target)), test_size=0.3, stratify=digits.target, random_state=0
    )
    in_train = set(train)
    for number, (image, digit) in enumerate(zip(digits.images, digits.target, strict=True)):
        part = "known/train" if number in in_train else "known/test"
        folder = out / ("unknown" if digit in UNKNOWN else part) / str(digit)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray((image * 15).astype("uint8")).save(folder / f"{number:04}.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    write(parser.parse_args().out)
