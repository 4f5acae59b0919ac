"""The picture of a reproduction has what was published, measured and modelled on it, and says what does not reproduce."""

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from pushbench.charts.classics import picture
from pushbench.classics import CLASSICS
from pushbench.classics.claims import Dots, Plot
from pushbench.classics.evidence import Evidence
from tests.pushbench.classics import MADE, evidence


def gids(figure: Figure) -> set[str]:
    return {str(artist.get_gid()) for artist in figure.findobj() if artist.get_gid()}


def texts(figure: Figure) -> str:
    return "\n".join(text.get_text() for text in figure.findobj(Text) if isinstance(text, Text)).replace("\n   ", " ")


@pytest.mark.parametrize("name", CLASSICS)
def test_every_figure_and_line_of_its_panels_is_drawn(name: str) -> None:
    made = CLASSICS[name].judge(evidence(MADE[name]()))
    drawn = gids(picture(CLASSICS[name], made))
    for panel in made.panels:
        if isinstance(panel, Dots):
            assert {f"measured:{row.what}" for row in panel.rows if row.measured} <= drawn
            assert {f"published:{row.what}" for row in panel.rows if row.published} <= drawn
        if isinstance(panel, Plot):
            assert {f"line:{curve.label}" for curve in panel.curves if curve.measured} <= drawn
            assert {f"model:{curve.label}" for curve in panel.curves if curve.model} <= drawn
            assert ("mark" in drawn) or not panel.marks


@pytest.mark.parametrize("name", CLASSICS)
def test_of_no_trials_there_is_a_picture_without_figures(name: str) -> None:
    made = CLASSICS[name].judge(Evidence(()))
    assert "cannot be told" in texts(picture(CLASSICS[name], made))


def test_what_does_not_reproduce_and_what_is_not_to_be_believed_is_said_on_it() -> None:
    classic = CLASSICS["rfc6202"]
    trials = [{**trial, "latency_mean_ms": 180.0} for trial in MADE["rfc6202"]()]
    said = texts(picture(classic, classic.judge(evidence(trials, verdict="client_bound"))))
    assert "does not reproduce: the average is close to one transit" in said
    assert "0 of 2 claims of the shape reproduce, 1 cannot be told." in said
    assert "not to be believed" in said


def test_a_figure_of_nothing_is_written_where_a_logarithmic_axis_has_no_place_for_it() -> None:
    classic = CLASSICS["aquilio"]
    drawn = gids(picture(classic, classic.judge(evidence(MADE["aquilio"]()))))
    assert "nought:sse HTTP/1.1: requests" in drawn
    assert "nought:longpoll HTTP/1.1: requests" not in drawn
