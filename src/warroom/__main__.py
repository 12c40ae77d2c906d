"""The entry point, also of ``python -m warroom``: imports the command line quickly and runs it."""

import gc


def main() -> None:
    """Run a command; see `warroom --help`."""
    gc.disable()  # what is imported stays for good: looking for garbage meanwhile is a fifth of the start
    from warroom.cli import main as run

    gc.freeze()
    gc.enable()
    run()


if __name__ == "__main__":
    main()
