"""The style of a training report: light, dark and print."""

__all__ = ["STYLE"]

STYLE = """
:root { color-scheme: light dark; --ink: #1c1e21; --soft: #5f666d; --paper: #ffffff;
  --line: #dde1e5; --panel: #f4f6f8; --accent: #0072B2; --warn: #fdf3e3; --warn-line: #E69F00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7e9ec; --soft: #a2a9b1; --paper: #16181b;
  --line: #33383e; --panel: #1f2226; --accent: #56B4E9; --warn: #2b2417; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 64rem; margin: 0 auto; padding: 2rem 1.5rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.6rem 0 .6rem; padding-top: .9rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; }
p { max-width: 47rem; margin: .5rem 0; } .lead { font-size: 1.08rem; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1.1rem; margin-top: 1.2rem; font-size: .9rem; }
a { color: var(--accent); text-decoration: none; } a:hover { text-decoration: underline; }
.hero { display: grid; grid-template-columns: auto 1fr; gap: 1.5rem; align-items: center;
  background: var(--panel); border-radius: 10px; padding: 1.1rem 1.4rem; margin: 1.1rem 0; }
.score { display: flex; flex-direction: column; min-width: 9.5rem; }
.score strong { font-size: 2.9rem; line-height: 1.1; font-variant-numeric: tabular-nums;
  color: var(--accent); } .score span { color: var(--soft); font-size: .92rem; }
aside, .note { background: var(--warn); border-left: 4px solid var(--warn-line);
  padding: .7rem 1rem; border-radius: 0 8px 8px 0; max-width: none; }
aside ul { margin: .3rem 0 0; padding-left: 1.2rem; }
.plot { overflow-x: auto; } .intervals { width: 100%; min-width: 38rem; max-width: 52rem;
  display: block; font-size: 13px; }
.intervals text { fill: var(--ink); } .intervals .label { text-anchor: end; }
.intervals .tick { text-anchor: middle; fill: var(--soft); font-size: 11.5px; }
.intervals .ends { fill: var(--soft); font-size: 11.5px; font-weight: 400; }
.intervals .value { font-variant-numeric: tabular-nums; } .intervals .strong { font-weight: 650; }
.intervals .grid { stroke: var(--line); } .intervals .zero { stroke: var(--soft); }
.intervals .mark { color: var(--accent); --dot: var(--accent); }
.intervals .mark.own { color: var(--soft); }
.intervals .whisker { stroke: currentColor; stroke-width: 2.5; stroke-linecap: round; }
.intervals .dot { fill: var(--dot); stroke: var(--paper); stroke-width: 1.5; }
.intervals .own .dot { stroke: var(--soft); stroke-width: 1; }
.intervals .bar { fill: currentColor; opacity: .22; }
.maps { display: grid; grid-template-columns: repeat(2, 1fr); gap: 1.3rem; }
.maps.wide { grid-template-columns: 1fr; }
figure { margin: 0; min-width: 0; break-inside: avoid; } img { display: block; max-width: 100%; }
figcaption { font-weight: 600; font-size: .9rem; margin-bottom: .35rem; }
.map img { width: 100%; image-rendering: pixelated; border: 1px solid var(--line);
  border-radius: 4px; }
.legend { display: flex; flex-wrap: wrap; gap: .15rem .9rem; font-size: .85rem; }
.chip { display: inline-block; width: .85em; height: .85em; border-radius: 2px;
  margin-inline-end: .4em; vertical-align: -.08em; outline: 1px solid rgba(128,128,128,.45); }
.scale { font-size: .75rem; color: var(--soft); margin: .3rem 0; display: flex; gap: .5rem;
  align-items: center; } .scale i { display: block; height: 5px; border: 1.5px solid currentColor;
  border-top: 0; }
.ramp { display: flex; gap: .6rem; align-items: center; font-size: .85rem;
  font-variant-numeric: tabular-nums; } .ramp i { flex: 1; height: .8rem; border-radius: 3px; }
.pair { display: grid; grid-template-columns: repeat(2, 1fr); gap: 1.5rem; align-items: start; }
.chart img { width: 100%; }
.table { overflow-x: auto; margin: .7rem 0; }
table { border-collapse: collapse; font-size: .88rem; }
th, td { text-align: left; padding: .28rem .75rem .28rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; } thead th { color: var(--soft); font-weight: 600; }
tbody th { font-weight: 500; } td.n { font-variant-numeric: tabular-nums; white-space: nowrap; }
td small { display: block; color: var(--soft); font-size: .8em; }
.confusion { border-spacing: 2px; border-collapse: separate; }
.confusion td { text-align: center; padding: .3rem .5rem; border: 0; border-radius: 3px;
  min-width: 2.7rem; font-variant-numeric: tabular-nums; vertical-align: middle; }
.confusion th { border: 0; vertical-align: middle; white-space: nowrap; }
.confusion td i { font-style: normal; font-size: .75em; opacity: .7; }
.confusion td small { color: inherit; opacity: .8; } .confusion td.dark { color: #fff; }
.confusion .sum { color: var(--soft); text-align: right; }
.confusion thead th { text-align: center; padding: 0 .4rem .3rem; font-weight: 500;
  vertical-align: bottom; }
.confusion thead th:first-child { text-align: left; }
.confusion.tall { font-size: .75rem; } .confusion.tall td { min-width: 1.75rem; padding: .2rem; }
.confusion.tall tfoot td { font-size: .62rem; }
.confusion.tall td i { display: none; }
.confusion.tall thead th span { writing-mode: vertical-rl; transform: rotate(180deg); }
.figures tbody th { white-space: nowrap; } .facts td { overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) { .chart img { filter: invert(.9) hue-rotate(180deg); } }
@media (max-width: 46rem) { .hero, .maps, .pair { grid-template-columns: 1fr; } }
@media print { :root { color-scheme: light; --ink: #000; --soft: #444; --paper: #fff;
  --line: #ccc; --panel: #f4f6f8; --accent: #0072B2; --warn: #fdf3e3; }
  body { font-size: 10.5pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { max-width: none; padding: 0; } nav { display: none; } .chart img { filter: none; }
  h2, section > p { break-after: avoid; } tr, .hero, .plot, aside { break-inside: avoid; }
  .table, .plot { overflow: visible; } }
@page { margin: 15mm; }
"""
"""CSS without addresses; charts are turned light where the page is dark, maps stay as they are."""
