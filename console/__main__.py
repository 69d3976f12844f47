"""`python -m console` is `bus-console`."""

import sys

from console import collecting


def main() -> int:
    """Carry out the command line; what it imports is there to stay."""
    collecting.hold()
    from console.cli.main import main as carry_out

    return carry_out()


if __name__ == "__main__":
    sys.exit(main())
