"""The part of a page that is made from results, between two marks: how it is replaced. Pure.

Which page that is, and what is made, is not known here.
"""

from pushbench.results import ResultsError


def with_part(page: str, part: str, marks: tuple[str, str], name: str, what: str) -> str:
    """The page with this between its marks. Raises `ResultsError` with its name if it has none."""
    head, begin, rest = page.partition(marks[0])
    _, end, tail = rest.partition(marks[1])
    if not (begin and end):
        raise ResultsError(f"{name} has no lines {marks[0]} and {marks[1]}: put them where the {what}")
    return f"{head}{begin}\n{part}\n{end}{tail}"
