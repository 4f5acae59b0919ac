"""`python -m servers.worker PARENT NUMBER OPTIONS`: one of several processes behind one port, started by their supervisor.

It says on its standard output, in one line, that it is ready or why it cannot be. It ends with its parent.
"""

import ctypes
import json
import os
import signal
import sys

from servers.listening import listen
from servers.options import Options, Unusable
from servers.serving import serve_on

_PR_SET_PDEATHSIG = 1


def main(parent: int, number: int, options: Options) -> None:
    """Serve until told to stop, or until the parent is gone."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:  # it had gone before that was asked
        return
    try:
        with listen(options.host, options.port, options.drop_unanswered_s, shared=True) as listener:
            serve_on(listener, options, number)
    except Unusable as unusable:
        print(json.dumps({"ready": False, "why": str(unusable)}), flush=True)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Options(**json.loads(sys.argv[3])))
