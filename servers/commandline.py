"""A server's command line: a flag for each field of its options, and how it ends if it cannot serve as it was told.

It does not know which server it is: that is for the program to say.
"""

import argparse
import os
from collections.abc import Callable, Collection
from dataclasses import fields
from typing import Any, TypeVar

from servers.listening import check
from servers.options import Options, Unusable
from servers.token import ENVIRONMENT, token_of

Kind = TypeVar("Kind", bound=Options)


def parse(
    kind: type[Kind],
    arguments: list[str] | None,
    *,
    program: str,
    description: str | None,
    without: Collection[str] = (),
) -> Kind:
    """The options from flags, one for each field but those `without`. Ends the process (2) for what is none."""
    parser = argparse.ArgumentParser(
        prog=program,
        description=description,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    for option in fields(kind):
        if option.name in without:
            continue
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
        return kind(**flags)
    except ValueError as error:
        parser.error(str(error))


def _truth(text: str) -> bool:
    """Of a switch that is given a value."""
    if text not in ("True", "False"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither True nor False; leave it out for True")
    return text == "True"


def run(program: str, serve: Callable[[Kind], None], options: Kind) -> None:
    """Serve. What makes that impossible is one line and exit code 1; Ctrl-C is exit code 130."""
    try:
        token_of(options, os.environ.get(ENVIRONMENT) or None)
        check(options)
        serve(options)
    except Unusable as unusable:
        raise SystemExit(f"{program}: {unusable}") from None
    except KeyboardInterrupt:  # uvicorn raises the signal again when it has stopped
        raise SystemExit(130) from None
