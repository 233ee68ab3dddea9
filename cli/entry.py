"""The entry point of the `claude-max` command: a Ctrl-C while it loads ends it at once, without a traceback.

Nothing has to be cleaned up at that point. Only the command imports this file.
"""

# The core of `signal`, which itself takes a moment to load.
import _signal  # type: ignore[import-not-found]

if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)


def run() -> None:
    """Loads the command tree and runs it."""
    from .main import run as run_command

    run_command()


if __name__ == "__main__":
    run()
