"""`python -m servers`: one process that serves, or several workers behind one port.

When it accepts connections it prints one JSON line, `{"ready": true, "port": …, "pid": …}`; of several workers also
`"pids": […]`, and then `pid` is their parent, which serves nothing itself.
"""

import argparse
import os
from collections.abc import Callable
from dataclasses import fields
from importlib import import_module
from typing import Any

from servers.listening import check
from servers.options import Options, Unusable
from servers.token import ENVIRONMENT, token_of

RUNNERS = {
    "supervisor": "servers.supervisor:supervise",
    "uvicorn": "servers.serving:serve",
    "hypercorn": "servers.under_hypercorn:serve",
    "granian": "servers.under_granian:serve",
}
"""What runs the application, by the server that does."""


def parse(arguments: list[str] | None = None) -> Options:
    """The options from command-line flags, one for each field of `Options`. Ends the process (2) for what is none."""
    parser = argparse.ArgumentParser(
        prog="python -m servers",
        description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    for option in fields(Options):
        switch: dict[str, Any] = {"nargs": "?", "const": True} if option.default is False else {}
        parser.add_argument(
            "--" + option.name.replace("_", "-"),
            type=_truth if switch else type(option.default),
            default=option.default,
            choices=option.metadata["choices"],
            help=option.metadata["help"],
            **switch,
        )
    flags = vars(parser.parse_args(arguments))
    try:
        return Options(**flags)
    except ValueError as error:
        parser.error(str(error))


def _truth(text: str) -> bool:
    """Of a switch that is given a value."""
    if text not in ("True", "False"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither True nor False; leave it out for True")
    return text == "True"


def _runner(options: Options) -> Callable[[Options], None]:
    """What serves with these options, imported only now."""
    module, _, name = RUNNERS["supervisor" if options.workers > 1 else options.server].partition(":")
    run: Callable[[Options], None] = getattr(import_module(module), name)
    return run


def main() -> None:
    """Bind, serve, and stop within a second of SIGTERM or Ctrl-C."""
    options = parse()
    # Whoever only looks after workers does without what serves: it is there as long as they are, and costs memory.
    try:
        run = _runner(options)
    except ImportError as error:
        raise SystemExit(
            f"python -m servers: --server={options.server} needs the package {error.name}: pip install 'pushbench[servers]'"
        ) from None
    try:
        token_of(options, os.environ.get(ENVIRONMENT) or None)
        check(options)
        run(options)
    except Unusable as unusable:
        raise SystemExit(f"python -m servers: {unusable}") from None
    except KeyboardInterrupt:  # uvicorn raises the signal again when it has stopped
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
