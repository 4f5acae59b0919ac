"""Builds the site into docs/_build/html: makes the reference, has Sphinx render all, and follows every link. `make docs`.

Nothing here goes to the network. Exit 1 if a page has a fault, or a link leads nowhere.
"""

import shutil
import sys
from pathlib import Path

from sphinx.cmd.build import main as sphinx

from docs.site.links import broken
from docs.site.reference import pages

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
BUILD = DOCS / "_build"
HTML = BUILD / "html"
FIRST = '<!doctype html><title>pushbench</title><meta http-equiv="refresh" content="0; url=docs/index.html">\n'
"""Pages are where they are in the repository, so the first one is not at the top."""


def main() -> int:
    """Build it, and say what is wrong with it."""
    made = pages((DOCS / "method.md").read_text(encoding="utf-8"))
    reference = DOCS / "reference"
    reference.mkdir(exist_ok=True)
    for path in reference.glob("*.md"):
        if path.stem not in made:
            path.unlink()
    for name, text in made.items():
        path = reference / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    shutil.rmtree(HTML, ignore_errors=True)  # or pages that are no more would still be led to
    options = ["-W", "--keep-going", "-q", "-b", "html", "-c", str(DOCS / "site"), "-d", str(BUILD / "doctrees")]
    if sphinx([*options, str(ROOT), str(HTML)]):
        return 1
    (HTML / "index.html").write_text(FIRST, encoding="utf-8")
    faults = list(broken(HTML))
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{len(faults)} links lead nowhere" if faults else HTML.relative_to(ROOT) / "index.html")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
