"""Small plots as SVG text: dots in rows, and lines; readable on light and dark pages."""

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, LEFT, RIGHT, TOP = 640, 120, 90, 40
ROW = 34
STYLE = (
    "<style>text{font:13px sans-serif;fill:#444}.axis{stroke:#999}.mark{fill:#2b6cb0}.mean{stroke:#2b6cb0;stroke-width:3}"
    "@media(prefers-color-scheme:dark){text{fill:#ccc}}</style>"
)
COLOURS = ("#2b6cb0", "#b7791f", "#2f855a", "#c53030", "#6b46c1", "#0987a0", "#718096")


def dots(points: Mapping[str, Sequence[float]], title: str) -> str:
    """A row for each name with a dot for each of its numbers and a bar at their mean; the axis starts at 0."""
    largest = _round_up(max(max(values) for values in points.values()))
    x = lambda value: LEFT + (WIDTH - LEFT - RIGHT) * value / largest
    bottom = TOP + ROW * len(points)
    parts = [f'<text x="10" y="20">{escape(title)}</text>']
    for index, (name, values) in enumerate(points.items()):
        y = TOP + ROW * (index + 0.5)
        mean = sum(values) / len(values)
        parts.append(f'<text x="{LEFT - 10}" y="{y + 4:.0f}" text-anchor="end">{escape(name)}</text>')
        parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.0f}" y2="{y:.0f}" opacity="0.3"/>')
        parts += [f'<circle class="mark" cx="{x(value):.1f}" cy="{y:.0f}" r="4" opacity="0.6"/>' for value in values]
        parts.append(f'<line class="mean" x1="{x(mean):.1f}" x2="{x(mean):.1f}" y1="{y - 10:.0f}" y2="{y + 10:.0f}"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 10}" y="{y + 4:.0f}">{mean:.1f}</text>')
    parts += _ticks(x, largest, bottom)
    return _page(parts, bottom + 30)


def lines(curves: Mapping[str, Sequence[tuple[float, float]]], title: str) -> str:
    """A line for each name through its points (x, y); both axes start at 0."""
    widest = max(point[0] for curve in curves.values() for point in curve)
    highest = _round_up(max(point[1] for curve in curves.values() for point in curve))
    bottom = TOP + 260
    x = lambda value: LEFT + (WIDTH - LEFT - RIGHT - 40) * value / widest
    y = lambda value: bottom - (bottom - TOP) * value / highest
    parts = [f'<text x="10" y="20">{escape(title)}</text>']
    for step in range(5):
        value = highest * step / 4
        height = f'y1="{y(value):.1f}" y2="{y(value):.1f}"'
        parts.append(f'<line class="axis" x1="{LEFT}" x2="{x(widest):.0f}" {height} opacity="0.3"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.2g}</text>')
    for place in sorted({point[0] for curve in curves.values() for point in curve}):
        parts.append(f'<text x="{x(place):.1f}" y="{bottom + 18}" text-anchor="middle">{place:.0f}</text>')
    labels = sorted(((y(curve[-1][1]), index) for index, curve in enumerate(curves.values())))
    places: dict[int, float] = {}
    for place, index in labels:
        # Names of lines that end close together are moved apart.
        places[index] = max([place, *(other + 15 for other in places.values() if other + 15 > place)])
    for index, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[index % len(COLOURS)]
        path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in curve)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="3" fill="{colour}"/>' for a, b in curve]
        place = f'x="{x(curve[-1][0]) + 8:.1f}" y="{places[index] + 4:.1f}"'
        parts.append(f'<text {place} style="fill:{colour}">{escape(name)}</text>')
    return _page(parts, bottom + 30)


def _ticks(x, largest: float, bottom: int) -> list[str]:
    return [
        f'<text x="{x(largest * step / 4):.1f}" y="{bottom + 18}" text-anchor="middle">{largest * step / 4:.3g}</text>'
        for step in range(5)
    ]


def _round_up(value: float) -> float:
    """The least of 1, 2, 4, 6, 8 times a power of ten that is not below the value."""
    power = 10.0
    while power > value:
        power /= 10
    while power * 10 <= value:
        power *= 10
    return next(power * factor for factor in (1, 2, 4, 6, 8, 10) if power * factor >= value)


def _page(parts: list[str], height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">'
        f"{STYLE}\n" + "\n".join(parts) + "\n</svg>\n"
    )
