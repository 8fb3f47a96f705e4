"""The card of a forecast model: what it is, how good it was on years it never saw, its limits.

Every figure comes from the spec, the test or the run; the words around them are here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geotools.evaluation.gains import Gain
from geotools.io.atomic import write_atomic
from geotools.spec import ModelSpec
from geotools.training.seismicity.nets import CHOSEN
from geotools.training.seismicity.regions import Plan
from geotools.training.seismicity.test import DIRECT, MODEL, SECONDARY, TestResult

__all__ = ["gain_table", "write_card"]

_TEXT = """\
# {name}

Expected number of earthquakes of magnitude {mc:g} and more per cell of {cell:g} degrees and
window of {horizons} days: {title}. It is a rate, with the long-term rate beside
it; it says where and by how much earthquakes are more likely than usual, never that one will
happen.

**For** maps of short-term rates after and between earthquakes, and as a baseline that is hard to
beat. **Not for** decisions about safety on its own, for single earthquakes, for magnitudes below
{mc:g}, or for other regions. With a catalog that begins less than {history:,.0f} days before the
issue time it is ETAS with this file's background, without the network.

## Input and output

| name | shape | meaning |
|---|---|---|
| `features` | (N, {features}) float32 | expected numbers and soft counts of past events |
| `horizon_days` | (1,) float32 | length of the window: {horizons}, and what lies between |
| `rate` | (N,) float32 | expected events of M {mc:g} and more in the cell and window |

`geotools.seismicity.features` makes the features from a catalog. Between the horizons a, b and f
follow the logarithm of the length.

N is free. Logarithms, scaling and exp are inside the graph. The file also holds the region
({cells:,} cells), background, long-term baseline, ETAS parameters, Mc, b = {b:.2f} and the factors
of each horizon: a fresh catalog is all that is needed.

## How it works

log rate = log(a B + b E) + f(x). B: background, every event by its chance of not being triggered,
smoothed by a power law as wide as the sixth neighbour is far. E: aftershocks that space-time ETAS
(Mizrahi, Nandan & Wiemer 2021) expects in the window, with aftershocks of aftershocks. a and b by
likelihood, per horizon. f: the mean of {members} small networks of {chosen} features, zero at
birth: {corrected}, and log(a B + b E) itself. The loss is the likelihood of a Poisson process; its
integral is sampled, half by E, a quarter by B, a quarter evenly.

ETAS: {etas}. Branching ratio {branching:.2f}.

## Training data

{data}. Sources from {sources_from}; ETAS explains {etas_from} to {test_from}; the
networks are fitted to {fit_from} to {stop_from}, followed on {stop_from} to {test_from} to choose
the number of passes ({passes}), and fitted anew to both. Training windows begin every {steps}
days. The background of a training window is made from earlier years alone. Mc {mc:g}: {mc_note}

## Accuracy on {test_from} to {test_to}

Nothing was fitted to or chosen on these years; this is the file that is shipped. Windows follow one
another without overlap. Gains are nats per event with a 95 % interval from drawing whole calendar
months again (2,000 times); months won: months with a gain above 0; last column: the gain without
its two best months.

{aims}

{aim_note}

{tables}

{learners}

## Cost and proof

- {bytes:,} bytes. PyTorch against ONNX Runtime on {parity_cells:,} {parity_windows}: largest
  relative difference of a rate {parity:.0e}.
- Opset 17, standard operators only, no loops.

## Limits

{limits}

## Make it again

    {command}

Seed {seed}: {minutes:.0f} minutes on 2 shared cores, with `--learners DIR` included where the table
shows them. On the same machine and versions the run repeats; on another CPU the figures will differ
a little.

The file that these figures are of has the SHA-256
`{sha256}`
(`geotools verify models/{name}.onnx` compares).
"""


def write_card(
    path: Path, plan: Plan, spec: ModelSpec, result: TestResult, facts: Mapping[str, Any]
) -> None:
    """Writes the card.

    Args:
        path: the `.md` file; replaced when it exists.
        plan: region and years.
        spec: of the exported model.
        result: gains on the test years.
        facts: minutes, bytes, sha256, members, branching.
    """
    backbone = spec.parameters["backbone"]
    etas = ", ".join(f"{name} {value:.4g}" for name, value in backbone["etas"].items())
    horizons = " and ".join(f"{days:g}" for days in plan.horizons_days)
    text = _TEXT.format(
        name=spec.name,
        title=plan.title,
        mc=plan.mc,
        cell=backbone["cell_deg"][0],
        horizons=horizons,
        history=plan.bands_days[-1],
        features=len(spec.parameters["features"]),
        cells=facts["cells"],
        b=backbone["b_value"],
        members=len(spec.training["passes"]),
        chosen=len(CHOSEN),
        corrected=", ".join(f"`{name}`" for name in CHOSEN),
        etas=etas,
        branching=facts["branching"],
        data=plan.data,
        sources_from=plan.sources_from,
        etas_from=plan.etas_from,
        fit_from=plan.fit_from,
        stop_from=plan.stop_from,
        test_from=plan.test_from,
        test_to=plan.test_to,
        passes=", ".join(str(number) for number in spec.training["passes"]),
        steps=" and ".join(f"{step:g}" for step in plan.steps_days),
        mc_note=plan.mc_note,
        aims=_aims(plan, result),
        aim_note=plan.aim_note,
        tables=gain_table(plan, result),
        learners=_learners(result),
        bytes=facts["bytes"],
        sha256=facts["sha256"],
        parity=spec.parity["max_difference"],
        parity_cells=spec.parity["cells"],
        parity_windows=spec.parity["windows"],
        limits=_limits(plan, result),
        command=spec.training["command"],
        seed=spec.training["seed"],
        minutes=facts["minutes"],
    )
    with write_atomic(path, overwrite=True) as part:
        part.write_text(text, encoding="utf-8")


def gain_table(plan: Plan, result: TestResult) -> str:
    """Markdown: for each horizon the chain of baselines, and every forecast over ETAS."""
    lines = []
    for horizon in plan.horizons_days:
        lines += [
            f"### {horizon:g}-day windows: {result.windows[horizon]:,} windows, "
            f"{result.observed[horizon]:,} events",
            "",
            "| forecast | over | nats per event (95 %) | months won | without the two best |",
            "|---|---|---|---|---|",
        ]
        lines += [_row(gain) for days, gain in result.gains if days == horizon]
        expected = [
            f"{name} {number:,.0f}"
            for (days, name), number in result.expected.items()
            if days == horizon
        ]
        lines += [
            "",
            f"Events expected in all windows ({result.observed[horizon]:,} happened): "
            + ", ".join(expected) + ".",
            "",
        ]  # fmt: skip
    return "\n".join(lines).rstrip()


def _row(gain: Gain) -> str:
    months = gain.months
    return (
        f"| {gain.model} | {gain.baseline} | {_with_interval(gain)} | "
        f"{months.won} of {len(months.labels)} | {months.without_best(2):+.3f} |"
    )


def _with_interval(gain: Gain) -> str:
    low, high = gain.month_interval
    return f"{gain.per_event:+.3f} ({low:+.3f} to {high:+.3f})"


def _aims(plan: Plan, result: TestResult) -> str:
    """What the model was built for, beside what it reached."""
    horizon = plan.horizons_days[0]
    aims = [(SECONDARY, 0.0, "above 0")]
    if plan.aim is not None:
        aims.insert(0, (DIRECT, plan.aim, f"at least {plan.aim:+.3f}"))
    lines = [f"| aim, {horizon:g}-day windows | reached |", "|---|---|"]
    for over, least, words in aims:
        gain = result.gain(horizon, MODEL, over)
        assert gain is not None  # noqa: S101
        met = gain.per_event >= least if least else gain.per_event > 0
        lines.append(
            f"| {words} nats per event over {over} | {_with_interval(gain)} "
            f"**{'reached' if met else 'not reached'}** |"
        )
    return "\n".join(lines)


def _learners(result: TestResult) -> str:
    if not result.learners:
        return ""
    lines = [
        "The other learners see the same features (the GRU: the events themselves) at the shortest",
        "horizon; classifiers are brought to rates by -log(1 - p) and two factors fitted to the",
        "years before the test. Their totals are ETAS's exact ones plus a sampled difference. All",
        "run as ONNX:",
        "",
    ]
    lines += [f"- {name}: {proof}." for name, proof in result.learners.items()]
    return "\n".join(lines)


def _limits(plan: Plan, result: TestResult) -> str:
    """Where the model is no better than something simpler, as measured."""
    lines = []
    for horizon in plan.horizons_days:
        for over in (DIRECT, SECONDARY, "log-linear correction"):
            gain = result.gain(horizon, MODEL, over)
            if gain is None:
                continue
            low, high = gain.month_interval
            if high < 0:
                lines.append(
                    f"- {horizon:g}-day windows: worse than {over}, {_with_interval(gain)}."
                )
            elif low <= 0:
                lines.append(
                    f"- {horizon:g}-day windows: the interval of the gain over {over} holds 0, "
                    f"{_with_interval(gain)}."
                )
            if gain.months.without_best(2) <= 0 < gain.per_event:
                lines.append(
                    f"- {horizon:g}-day windows: without its two best months there is no gain over "
                    f"{over}."
                )
        expected = result.expected[horizon, MODEL]
        observed = result.observed[horizon]
        lines.append(
            f"- {horizon:g}-day windows: {expected:,.0f} events were expected in the test years, "
            f"{observed:,} happened ({100 * (expected / observed - 1):+.0f} %)."
        )
    lines += [
        "- A large earthquake inside a window, and its first aftershocks, are not foreseen: most "
        "of what is missed is there.",
        "- Magnitudes follow Gutenberg and Richter with one b for the region.",
        f"- The background ends with {plan.test_from}; regions that became active later are known "
        "by the recent events alone.",
    ]
    return "\n".join(lines)
