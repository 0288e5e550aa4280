"""Pictures of a debrief: vacuum, cores and yield over time, and the density of the cells, each with its text twin."""

from collections.abc import Sequence

from devicectl.station.debrief.drawings.cells import Cell, ZoneMap, draw_cells, say_cells
from devicectl.station.debrief.drawings.chart import Chart, Limit, Series, draw_chart, say_chart
from devicectl.station.debrief.facts import Facts
from devicectl.station.debrief.markup import Markup, element
from devicectl.station.debrief.tables import figure, table


def over_time(facts: Facts) -> list[Markup]:
    """Return the charts of what changes all the time."""
    lasts_us, samples = facts.ending.lasts_us, facts.samples
    vacuum = Chart(
        "kPa",
        (
            Series("shown", [(one.at_us, one.shown_kpa) for one in samples]),
            Series("true", [(one.at_us, one.true_kpa) for one in samples]),
        ),
        lasts_us,
        [Limit(name, value) for name, value in facts.limits_kpa.items()],
    )
    cores = Chart(
        "cores",
        (
            Series("counted", [(one.at_us, one.cores_counted) for one in samples]),
            Series("really came out", [(one.at_us, one.cores_evacuated) for one in samples]),
        ),
        lasts_us,
        [Limit("target", facts.ending.target)] if facts.ending.target else [],
    )
    share = Chart(
        "%", (Series("punctures with a core", [(one.at_us, one.yield_percent) for one in samples]),), lasts_us
    )
    charts = (("Suction", vacuum), ("Cores", cores), ("Yield", share))
    return [
        element("div", element("h3", name), figure(draw_chart(chart), say_chart(chart)), class_="picture")
        for name, chart in charts
    ]


def density(zones: Sequence[ZoneMap]) -> list[Markup]:
    """Return the maps of the zones that were begun, and their cells as a table."""
    if not zones:
        return [element("p", "No session was opened.", class_="soft")]
    begun = [zone for zone in zones if zone.begun]
    maps = [figure(draw_cells(zone), say_cells(zone)) for zone in begun]
    others = [element("p", say_cells(zone)) for zone in zones if not zone.begun]
    rows = [_row(zone, cell) for zone in begun for cell in zone.begun]
    said = element("p", "The number in a cell is its punctures.", class_="soft")
    columns = ("Zone", "Cell", "Punctures", "Cores counted", "Share of the plan")
    return [said, element("div", *maps, class_="maps"), *others, table(columns, rows, "No cell was begun.")]


def _row(zone: ZoneMap, cell: Cell) -> tuple[str, ...]:
    return zone.name, str(cell.cell + 1), str(cell.punctures), str(cell.cores), f"{cell.percent} %"
