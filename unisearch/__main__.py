"""The command `unisearch`, also as `python -m unisearch`."""

from unisearch.cli import interrupt  # nothing before it: until it is there, Ctrl-C is a traceback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> "NoReturn":
    """The console command."""
    try:
        interrupt.install()
        import signal
        import sys

        from unisearch.cli.main import run

        code = run(sys.argv[1:])
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # all is said and done
    except KeyboardInterrupt:
        interrupt.leave()
    sys.exit(code)


if __name__ == "__main__":
    main()
