"""The entry point, also of ``python -m warroom``: imports the command line quickly and runs it."""

import gc
import sys

INTERRUPTED = 130
"""the exit code of a shell for whatever Ctrl-C ended"""


def main() -> None:
    """Run a command; see `warroom --help`. Ctrl-C before it has begun ends quietly."""
    gc.disable()  # what is imported stays for good: looking for garbage meanwhile is a fifth of the start
    try:
        from warroom.cli import main as run
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    finally:
        gc.freeze()
        gc.enable()
    run()


if __name__ == "__main__":
    main()
