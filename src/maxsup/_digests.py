"""By what a file that is read back is known to hold what was written.

Three kinds of files have a SHA-256 each in its way. A JSON file has that of its content as a field
of its own. A checkpoint, an archive of torch's, has it as the archive's comment. All other files of
a finished run have a line in ``SHA256SUMS`` beside them, so that they stay what other programs read
(``sha256sum --check SHA256SUMS`` looks at them as well). A file without any is read as it is.
"""

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from maxsup._files import write_text

SUMS_FILE = "SHA256SUMS"

_FIELD = "sha256"
_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")
_COMMENT = b"maxsup sha256 "
_COMMENT_LENGTH = len(_COMMENT) + 64


class DamagedFile(ValueError):
    """A file does not hold what was written to it."""


def with_digest(content: Mapping[str, Any]) -> dict[str, Any]:
    """What is to be a JSON file, with the digest of all of it as its last field.

    >>> with_digest({"seed": 0})["sha256"][:12]
    'de7d7744ccd7'
    """
    return {**content, _FIELD: _digest_of(content)}


def without_digest(
    content: Mapping[str, Any], what: Path | str, *, leave_out: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The content of a JSON file, which is what its digest says, where it has one.

    Args:
        content: The content with the digest.
        what: The file, as a message begins with it.
        leave_out: The fields that the digest does not cover.

    Raises:
        DamagedFile: It is not.
    """
    rest = {name: value for name, value in content.items() if name != _FIELD}
    covered = {name: value for name, value in rest.items() if name not in leave_out}
    if _FIELD in content and content[_FIELD] != _digest_of(covered):
        raise DamagedFile(
            f"{what} is damaged, or was edited: its content is not the one of its sha256."
        )
    return rest


def read_object(
    text: str | bytes, what: Path | str, *, leave_out: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The object that a JSON text holds, which is what its digest says, where it has one.

    Args:
        text: The text.
        what: The file, as a message begins with it.
        leave_out: The fields that the digest does not cover.

    Raises:
        DamagedFile: It is empty, cut off, or no JSON object at all, or its digest is of another.
    """
    if not text.strip():
        raise DamagedFile(f"{what} is empty.")
    try:
        content = json.loads(text)
    except ValueError as error:
        raise DamagedFile(f"{what} is damaged, or no JSON file: {error}.") from error
    if not isinstance(content, dict):
        raise DamagedFile(f"{what} holds no JSON object, but {type(content).__name__}.")
    return without_digest(content, what, leave_out=leave_out)


def _digest_of(content: Mapping[str, Any]) -> str:
    # As the file has it: lists for tuples, and text for keys.
    plain = json.loads(json.dumps(content))
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def with_comment(archive: bytes) -> bytes:
    """A ZIP archive without a comment, with its digest as its comment; still such an archive."""
    digest = hashlib.sha256(archive).hexdigest().encode()
    # An archive ends with the length of its comment, and the comment.
    return archive[:-2] + _COMMENT_LENGTH.to_bytes(2, "little") + _COMMENT + digest


def check_comment(archive: bytes, what: Path | str) -> None:
    """See that an archive is what the digest in its comment says.

    Raises:
        DamagedFile: It is not, or has no such comment.
    """
    if not archive:
        raise DamagedFile(f"{what} is empty.")
    comment = archive[-_COMMENT_LENGTH:]
    if not comment.startswith(_COMMENT):
        raise DamagedFile(f"{what} is cut off, or no checkpoint of this version of maxsup.")
    without = archive[: -_COMMENT_LENGTH - 2] + b"\0\0"
    if archive != with_comment(without):
        raise DamagedFile(f"{what} is damaged: its content is not the one of its sha256.")


def digest(content: bytes | memoryview) -> str:
    """SHA-256, as ``SHA256SUMS`` has it."""
    return hashlib.sha256(content).hexdigest()


def write_sums(directory: Path, digests: Mapping[str, str]) -> None:
    """Write ``SHA256SUMS``, as sha256sum does.

    Args:
        directory: Where the files are.
        digests: The digest of each by its name.
    """
    lines = (f"{digests[name]}  {name}\n" for name in sorted(digests))
    write_text(directory / SUMS_FILE, "".join(lines))


def read_sums(directory: Path) -> dict[str, str]:
    """The digests in a directory's ``SHA256SUMS`` by file; none where there is no such file."""
    try:
        text = (directory / SUMS_FILE).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return {}
    found = (_LINE.fullmatch(line) for line in text.splitlines())
    return {match[2]: match[1] for match in found if match}


WAYS_OUT = (
    "Repeat its run by the same command, which makes it anew, or take the file's line out of "
    f"{SUMS_FILE} to use it as it is."
)


def read_checked(path: Path, ways_out: str = WAYS_OUT) -> bytes:
    """The content of a file, which is what ``SHA256SUMS`` beside it says, where that names it.

    Args:
        path: The file.
        ways_out: What to do where it is not.

    Raises:
        DamagedFile: It is not.
        OSError: The file cannot be read.
    """
    content = path.read_bytes()
    expected = read_sums(path.parent).get(path.name)
    if expected is not None and digest(content) != expected:
        how = "is empty" if not content else "is damaged, or was changed"
        raise DamagedFile(
            f"{path} {how}: it is not the file whose digest stands in {SUMS_FILE} beside it. "
            f"{ways_out}".rstrip()
        )
    return content


def check_files(directory: Path, *, removable: Collection[str]) -> None:
    """See that the files which ``SHA256SUMS`` names are what it says.

    Args:
        directory: Where they are.
        removable: The names of those that may be missing.

    Raises:
        DamagedFile: One is not, or is missing.
    """
    for name in read_sums(directory):
        try:
            read_checked(directory / name, ways_out="")
        except FileNotFoundError as error:
            if name not in removable:
                raise DamagedFile(f"{directory / name} is missing.") from error
