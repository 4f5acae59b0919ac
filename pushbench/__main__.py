"""The entry of `pushbench` and of `python -m pushbench`.

It imports nothing of its own: a load process that is spawned imports its parent's main module first, and would pay for all
that only the command line needs.
"""

import os
import sys


def main() -> None:
    """Listen to what may tell it to end, hand over to the command line, and leave with its exit code."""
    from pushbench import interruption

    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # numpy's threads cost each load process 0.1 s of CPU to start
    try:
        interruption.listen()
        from pushbench import cli  # half a second, in which one may change one's mind

        code = cli.main()
    except interruption.Interrupted as interrupted:
        print("pushbench: interrupted", file=sys.stderr)
        code = interrupted.exit_code
    interruption.ignore()
    raise SystemExit(code)


if __name__ == "__main__":
    main()
