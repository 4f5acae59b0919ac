"""What Sphinx is told: the pages of the repository where they are, and a sober theme. `make docs` calls it.

The source directory is the repository, so that a link between two pages is the same on the site and on a code host.
"""

from typing import Any

project = "pushbench"
html_title = "pushbench"
extensions = ["myst_nb"]
root_doc = "docs/index"
include_patterns = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/*.md",
    "docs/reference/*.md",
    "scenarios/README.md",
    "notebooks/*.ipynb",
]
exclude_patterns = [".*", "docs/_build", "results", "**/node_modules"]
nitpicky = True
highlight_language = "text"

myst_heading_anchors = 6
nb_execution_mode = "off"  # they are committed with what came of them
nb_merge_streams = True

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_theme_options: dict[str, Any] = {"navigation_with_keys": True}
