"""The parts of a long recording: what they are called, how closed ones are compressed, and how each is opened."""

import logging
import os
import re
from pathlib import Path
from typing import IO

PART_BYTES = 256 << 20
"""A part is closed when it is longer: about a million calls."""
COMPRESSED = ".zst"
_HOW = "pip install 'bus-console[zstd]'"
_log = logging.getLogger("bus")


class DamagedPartError(OSError):
    """A compressed part cannot be read any further."""


def part_path(path: Path, number: int) -> Path:
    """Where part NUMBER of the recording PATH goes when it is closed; PATH itself is the part that is written."""
    return path.with_stem(f"{path.stem}.{number}")


def compressed_path(path: Path) -> Path:
    """PATH, compressed."""
    return path.with_name(path.name + COMPRESSED)


def closed_parts(path: Path) -> list[Path]:
    """The closed parts of the recording PATH, the oldest first, compressed or not, without the ending that says so.

    The first ones may have been deleted, to save room.
    """
    pattern = re.compile(rf"{re.escape(path.stem)}\.(\d+){re.escape(path.suffix)}({re.escape(COMPRESSED)})?")
    try:
        names = [found.name for found in path.parent.iterdir()]
    except OSError:
        return []
    numbers = {int(found[1]) for found in map(pattern.fullmatch, names) if found}
    return [part_path(path, number) for number in sorted(numbers)]


def is_there(path: Path) -> bool:
    """Whether there is such a part, compressed or not."""
    return path.exists() or compressed_path(path).exists()


class Part:
    """A part that is open for reading; `size` in bytes, not compressed."""

    def __init__(self, path: Path) -> None:
        """Open PATH, or what became of it when it was compressed.

        Raises:
            OSError: it cannot be opened; a library is missing.
        """
        if path.suffix == COMPRESSED or (not path.exists() and compressed_path(path).exists()):
            self._file, self.size = _open_compressed(path if path.suffix == COMPRESSED else compressed_path(path))
        else:
            self._file = path.open("rb")
            self.size = os.fstat(self._file.fileno()).st_size

    def read(self, size: int) -> bytes:
        """The next bytes, SIZE at most; b"" at the end.

        Raises:
            DamagedPartError: what follows cannot be decompressed.
        """
        try:
            return self._file.read(size)
        except OSError:
            raise
        except Exception as error:  # noqa: BLE001  zstandard's own error, whose class is there only if the library is
            raise DamagedPartError(str(error)) from None

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _open_compressed(path: Path) -> tuple[IO[bytes], int]:
    try:
        import zstandard
    except ImportError:
        message = f"{path} is compressed, and the library for it is missing: {_HOW}"
        raise OSError(message) from None
    file = path.open("rb")
    try:
        size = zstandard.get_frame_parameters(file.read(64)).content_size
    except zstandard.ZstdError:
        size = 0  # reading it will tell
    file.seek(0)
    return zstandard.ZstdDecompressor().stream_reader(file, closefd=True), size


def compress(path: Path) -> None:
    """Put a compressed file in the place of PATH, a part that is closed; without the library it stays as it is.

    A kill leaves one of the two, and perhaps a temporary file.
    """
    try:
        import zstandard
    except ImportError:
        _log.warning("%s stays as it is: to compress the parts of a recording, %s", path, _HOW)
        return
    temporary = path.with_name(f".{path.name}{COMPRESSED}.part")
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with path.open("rb") as file, os.fdopen(fd, "wb") as out:
            zstandard.ZstdCompressor(write_checksum=True).copy_stream(file, out, size=path.stat().st_size)
        temporary.rename(compressed_path(path))
        path.unlink()
    except OSError as error:
        temporary.unlink(missing_ok=True)
        _log.warning("%s stays as it is: %s", path, error.strerror or error)
