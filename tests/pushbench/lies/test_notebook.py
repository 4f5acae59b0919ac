"""The lesson on the lies, of a gallery that has only some of them."""

import json
from pathlib import Path

import matplotlib as mpl
import pytest

from pushbench.environment import CHECKOUT
from pushbench.lies.record import VERDICT, Pair, Shown
from pushbench.lies.store import NAME, Gallery, save

PLACE = {"cores": 2, "cpu": "CPU", "python": "3.12", "uvicorn": "0.1"}
SOME = Shown("averages", False, (Pair(15, 270, "a", f"{VERDICT}client_bound, because"), Pair(10, 200, "b", "c")))
FAILED = Shown("closed_loop", False, (), ("it ended",))


@pytest.mark.parametrize(
    ("shown", "lies"), [((SOME, FAILED), "1 lies, 2 repetitions"), ((FAILED,), "0 lies, 0 repetitions"), ((), "0 lies")]
)
def test_its_cells_run_on_it(
    shown: tuple[Shown, ...],
    lies: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    mpl.use("agg")
    save(Gallery("2026-01-02", PLACE, shown), tmp_path / NAME)
    monkeypatch.setenv("PUSHBENCH_LIES", str(tmp_path))
    names: dict[str, object] = {}
    for cell in json.loads((CHECKOUT / "notebooks" / "09_lies.ipynb").read_text())["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(line for line in cell["source"] if not line.startswith("%")), names)
    assert lies in capsys.readouterr().out
