"""`python -m sample_services [FOLDER]`: the sample program by itself, until it is interrupted."""

import signal
import sys
import threading
from pathlib import Path

from sample_services import program


def main() -> int:
    """Run until SIGINT or SIGTERM; 2 when FOLDER is not a folder."""
    folder = Path(sys.argv[1]).expanduser() if len(sys.argv) > 1 else program.default_folder()
    if not folder.is_dir():
        print(f"sample_services: {folder} is not a folder; give the folder to index", file=sys.stderr)
        return 2
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with program.build(folder) as bus:
        program.load(bus, stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
