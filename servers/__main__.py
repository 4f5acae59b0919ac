"""`python -m servers`: one process that serves, or several workers behind one port.

When it accepts connections it prints one JSON line, `{"ready": true, "port": …, "pid": …}`; of several workers also
`"pids": […]`, and then `pid` is their parent, which serves nothing itself.
"""

from collections.abc import Callable
from importlib import import_module

from servers import commandline
from servers.options import Options

PROGRAM = "python -m servers"
RUNNERS = {
    "supervisor": "servers.supervisor:supervise",
    "uvicorn": "servers.serving:serve",
    "hypercorn": "servers.under_hypercorn:serve",
    "granian": "servers.under_granian:serve",
}
"""What runs the application, by the server that does."""


def parse(arguments: list[str] | None = None) -> Options:
    """The options from command-line flags, one for each field of `Options`. Ends the process (2) for what is none."""
    return commandline.parse(Options, arguments, program=PROGRAM, description=__doc__)


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
        runner = _runner(options)
    except ImportError as error:
        raise SystemExit(
            f"{PROGRAM}: --server={options.server} needs the package {error.name}: pip install 'pushbench[servers]'"
        ) from None
    commandline.run(PROGRAM, runner, options)


if __name__ == "__main__":
    main()
