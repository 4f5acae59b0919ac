"""`python -m apps`: a task list, a chat and a ticker, in one process, as the server of this project runs.

When it accepts connections it prints one JSON line, `{"ready": true, "port": …, "pid": …}`. The pages are `/tasks`,
`/chat` and `/ticker`.
"""

import sys

from apps.app import create_app
from apps.options import NOT_HERE, AppsOptions
from servers import commandline
from servers.listening import listen_as
from servers.serving import ReadyServer, config_of

PROGRAM = "python -m apps"


def parse(arguments: list[str] | None = None) -> AppsOptions:
    """The options from command-line flags. Ends the process (2) for what is none."""
    return commandline.parse(AppsOptions, arguments, program=PROGRAM, description=__doc__, without=NOT_HERE)


def serve(options: AppsOptions) -> None:
    """Bind, and serve until told to stop; a second is enough for that. Raises `Unusable`."""
    listener, _ = listen_as(options)
    with listener:
        host, port = listener.getsockname()[:2]
        scheme = "https" if options.tls_certificate else "http"
        print(f"the applications are at {scheme}://{f'[{host}]' if ':' in host else host}:{port}/", file=sys.stderr)
        ReadyServer(config_of(create_app(options), options)).run([listener])


def main() -> None:
    """Bind, serve, and stop within a second of SIGTERM or Ctrl-C."""
    commandline.run(PROGRAM, serve, parse())


if __name__ == "__main__":
    main()
