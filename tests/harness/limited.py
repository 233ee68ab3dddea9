"""Runs a Python program with a limit of the system, such as that of open files. Nothing else may be changed here."""

import runpy
import sys


def limited(name: str, soft: int, hard: int) -> tuple[str, ...]:
    """For `running_proxy(..., through=...)`; `name` is that of the limit, `resource.RLIMIT_…`."""
    return (sys.executable, __file__, name, str(soft), str(hard))


if __name__ == "__main__":
    import resource  # not on Windows

    resource.setrlimit(getattr(resource, f"RLIMIT_{sys.argv[1]}"), (int(sys.argv[2]), int(sys.argv[3])))
    sys.argv = sys.argv[4:]
    runpy.run_path(sys.argv[0], run_name="__main__")
