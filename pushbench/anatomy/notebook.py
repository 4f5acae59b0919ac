"""Exchanges for notebooks: tables as DataFrames, and the page itself. Nothing is captured here: it reads what was kept.

from pushbench.anatomy import notebook
exchange = notebook.load("websocket")     # or a file that `pushbench wire --json FILE` wrote
notebook.spans(exchange)                  # a row for each part of the bytes
notebook.show(exchange)                   # the annotated page, in the notebook
"""

from dataclasses import asdict
from html import escape

import pandas as pd

from pushbench.anatomy import record
from pushbench.anatomy.exchange import Exchange
from pushbench.anatomy.explanations import explained
from pushbench.anatomy.page import page
from pushbench.anatomy.record import load
from pushbench.anatomy.shape import view

__all__ = ["costs", "lives", "load", "show", "spans", "timeline"]

HEIGHT = 700


def timeline(exchange: Exchange) -> pd.DataFrame:
    """A row a moment: `at_ms` from the first byte, `way`, `what`, `waits` (who waited for whom), `size` in bytes."""
    return pd.DataFrame([asdict(row) for row in view(exchange).rows])[["at_ms", "way", "size", "what", "waits"]]


def spans(exchange: Exchange) -> pd.DataFrame:
    """A row a span: `connection`, `up`, `offset`, `length`, `kind`, `name`, `value`, and what that means."""
    table = pd.DataFrame(record.spans(view(exchange))).drop(columns="plain", errors="ignore")
    return table.assign(means=[explained(name).means for name in table["name"]])


def lives(exchange: Exchange) -> pd.DataFrame:
    """A row an update: when it was due, sent, taken, passed and received, in ms from the first byte."""
    return pd.DataFrame([asdict(one) for one in view(exchange).lives]).set_index("seq")


def costs(exchange: Exchange) -> pd.DataFrame:
    """Bytes by what they are for, of one update and of the whole exchange, down and up."""
    rows = [dict(zip(record.COST_KEYS, [name, *row], strict=True)) for name, row in view(exchange).cost]
    return pd.DataFrame(rows, columns=list(record.COST_KEYS)).set_index("what")


class Shown:
    """A page that a notebook displays."""

    def __init__(self, html: str) -> None:
        self._html = html

    def _repr_html_(self) -> str:
        return f'<iframe srcdoc="{escape(self._html)}" width="100%" height="{HEIGHT}" style="border:0"></iframe>'


def show(exchange: Exchange) -> Shown:
    """The annotated page."""
    return Shown(page(exchange))
