"""A plot of figures on logarithmic axes, as an SVG that reads on light and dark backgrounds."""
import dataclasses
import html
import math

_STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600 } .small { font-size: 11px; fill: #57606a } .figure { font-size: 12px }
  .grid { stroke: #d0d7de; stroke-width: 1 } .row { stroke: #eaeef2; stroke-width: 1 }
  .dot { fill: #6e7781 } .range { stroke: #6e7781; stroke-width: 2 }
  .ours .dot { fill: #0969da } .ours .range { stroke: #0969da } .ours text { font-weight: 600; fill: #0969da }
  .limit .dot { fill: none; stroke: #6e7781; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .small { fill: #9198a1 } .grid { stroke: #3d444d } .row { stroke: #21262d }
    .dot { fill: #9198a1 } .range { stroke: #9198a1 } .limit .dot { fill: none; stroke: #9198a1 }
    .ours .dot { fill: #4493f8 } .ours .range { stroke: #4493f8 } .ours text { fill: #4493f8 }
  }"""
_WIDTH, _MARGIN, _GAP = 900, 16, 28
_LABEL, _FIGURE = 118, 62      # left, unless asked otherwise, and right of a panel's axis
_ROW, _HEAD, _FOOT = 22, 30, 26


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    value: float
    low: float = None
    high: float = None
    kind: str = ""        # "ours", "limit" or a peer
    note: str = ""        # instead of a figure


@dataclasses.dataclass(frozen=True)
class Panel:
    title: str
    unit: str
    rows: tuple

    def height(self):
        return _HEAD + _ROW * len(self.rows) + _FOOT


def figure(value):
    """Two or three digits that say something."""
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:,.0f}".replace(",", "\u202f")


def _tick_text(value):
    if value >= 1e6:
        return f"{value / 1e6:g} M"
    return f"{value / 1e3:g} k" if value >= 1e4 else f"{value:g}"


def _ticks(low, high):
    """1, 2 and 5 of each power of ten, fewer where there would be many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if high / low < 60 else (1,)
    return [step * 10.0 ** power for power in powers for step in steps
            if low <= step * 10.0 ** power <= high]


class _Drawing:
    def __init__(self):
        self.parts = []

    def line(self, x1, y1, x2, y2, kind):
        self.parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{kind}"/>')

    def text(self, x, y, words, kind="", anchor="start"):
        self.parts.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">'
                          f'{html.escape(words)}</text>')

    def circle(self, x, y, kind):
        self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" class="{kind}"/>')


def _panel(draw, panel, left, top, width, label):
    known = [value for row in panel.rows for value in (row.value, row.low, row.high) if value]
    low, high = min(known) / 1.25, max(known) * 1.25
    start, end = left + label, left + width - _FIGURE
    bottom = top + _HEAD + _ROW * len(panel.rows)

    def x(value):
        return start + (end - start) * math.log(value / low) / math.log(high / low)

    draw.text(left, top + 14, panel.title, "title")
    for tick in _ticks(low, high):
        draw.line(x(tick), top + _HEAD - 6, x(tick), bottom, "grid")
        draw.text(x(tick), bottom + 14, _tick_text(tick), "small", "middle")
    draw.text(left + width, bottom + 14, panel.unit, "small", "end")
    for number, row in enumerate(panel.rows):
        y = top + _HEAD + _ROW * number + _ROW / 2
        draw.parts.append(f'<g class="{row.kind}">')
        draw.line(start, y, end, y, "row")
        draw.text(start - 10, y + 4, row.name, "", "end")
        if row.value:
            if row.low and row.high:
                draw.line(x(row.low), y, x(row.high), y, "range")
            draw.circle(x(row.value), y, "dot")
            draw.text(end + 8, y + 4, figure(row.value), "figure")
        else:
            draw.text(start + 4, y + 4, row.note, "small")
        draw.parts.append("</g>")


def plot(title, subtitle, panels, columns=2, label=_LABEL):
    """The panels in columns, row by row. Values are above 0: the axes are logarithmic."""
    draw = _Drawing()
    draw.text(_MARGIN, 26, title, "title")
    draw.text(_MARGIN, 44, subtitle, "small")
    width = (_WIDTH - 2 * _MARGIN - _GAP * (columns - 1)) / columns
    top = 66
    for first in range(0, len(panels), columns):
        row = panels[first:first + columns]
        for number, panel in enumerate(row):
            _panel(draw, panel, _MARGIN + number * (width + _GAP), top, width, label)
        top += max(panel.height() for panel in row) + 12
    body = "\n".join(draw.parts)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top:.0f}" width="{_WIDTH}" '
            f'height="{top:.0f}" role="img" aria-label="{html.escape(title)}">\n<style>{_STYLE}\n</style>\n{body}\n</svg>\n')
