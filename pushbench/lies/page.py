"""`python -m pushbench.lies.page [DIRECTORY...]`: the measured part of docs/lies.md, from results/reference/lies.json.

With directories of `pushbench lies` their results become the reference first; what is in several is as the last has it, so
`results/reference DIRECTORY` puts some lies that were measured again in place of the old ones.
"""

import sys
from pathlib import Path

from pushbench import marked
from pushbench.environment import CHECKOUT
from pushbench.lies.store import NAME, Gallery, load, merged, save
from pushbench.lies.table import LIES
from pushbench.lies.text import markdown
from pushbench.reference import REFERENCE
from pushbench.results import ResultsError

PAGE = CHECKOUT / "docs" / "lies.md"
PICTURE = REFERENCE / "charts" / "lies"
BEGIN, END = (
    "<!-- made by `python -m pushbench.lies.page`: begin -->",
    "<!-- made by `python -m pushbench.lies.page`: end -->",
)


def part(gallery: Gallery) -> str:
    """The part of the page that the results fill."""
    environment = gallery.environment
    lines = [
        "![How far off each is](../results/reference/charts/lies.png)",
        "",
        markdown(gallery.shown),
        "",
        f"Measured {gallery.started_at[:10]} on {environment['cores']} cores of an {environment['cpu']}, "
        f"Python {environment['python']}, uvicorn {environment['uvicorn']}; all over loopback.",
    ]
    return "\n".join(lines)


def with_part(page: str, made: str) -> str:
    """The page with its part replaced."""
    return marked.with_part(page, made, (BEGIN, END), PAGE.name, "figures belong")


def main() -> None:
    """Take the results, draw, and write."""
    from pushbench.lies.showing import draw

    try:
        gallery = merged([load(Path(given)) for given in sys.argv[1:]] or [load(REFERENCE)])
        if missing := LIES.keys() - {one.name for one in gallery.shown if one.pairs}:
            raise ResultsError(f"the results lack {', '.join(sorted(missing))}: run `pushbench lies` with all of them")
        save(gallery, REFERENCE / NAME)
        draw(gallery, PICTURE)
        PAGE.write_text(with_part(PAGE.read_text(), part(gallery)))
    except ResultsError as error:
        raise SystemExit(f"pushbench.lies.page: {error}") from None
    print(f"{PAGE.relative_to(CHECKOUT)} shows the results of {gallery.started_at}")


if __name__ == "__main__":
    main()
