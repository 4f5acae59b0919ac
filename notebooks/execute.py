"""Executes every notebook of this folder anew: `python notebooks/execute.py RUN`.

On the reference run they are written back in place, with their outputs; on another run a copy is written into that run's
directory, so that the committed ones stay what they are.
"""

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

HERE = Path(__file__).resolve().parent
REFERENCE = HERE.parent / "results" / "reference"


def main() -> None:
    run = Path(sys.argv[1] if len(sys.argv) > 1 else REFERENCE).resolve()
    if not (run / "run.json").exists():
        raise SystemExit(f"{run} holds no run: give a run's directory, for example RUN=results/reference")
    os.environ["PUSHBENCH_RUN"] = os.path.relpath(run, HERE)
    to = HERE if run == REFERENCE else run / "notebooks"
    to.mkdir(exist_ok=True)
    for path in sorted(HERE.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        client = NotebookClient(
            notebook,
            timeout=300,
            record_timing=False,
            resources={"metadata": {"path": HERE}},
            extra_arguments=["--IPKernelApp.log_level=40"],  # it warns that its loopback port is not encrypted
        )
        try:
            client.execute()
        except CellExecutionError as error:
            raise SystemExit(f"{path.name} failed:\n{error}") from None
        notebook.metadata.get("language_info", {}).pop("version", None)  # the same text on every Python
        nbformat.write(notebook, to / path.name)
        print(os.path.relpath(to / path.name))


if __name__ == "__main__":
    main()
