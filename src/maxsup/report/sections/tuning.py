"""How strengths were chosen: what each method was tried at, and what came of it."""

from maxsup import figures
from maxsup._method_names import written
from maxsup.report.sections._shared import Picture, StudySection, labels_of, legend_of, picture
from maxsup.results import Results, schema

_QUANTITIES = {
    "validation_nll_scaled": ("validation NLL after temperature", 1.0, 4),
    "validation_accuracy": ("validation accuracy in %", 100.0, 2),
}
_IN_WORDS = {"lr": "learning rate"}


def _content(results: Results) -> dict[str, object] | None:
    tuning = results["tuning"]
    if tuning is None or not tuning["methods"]:
        return None
    labels = labels_of(results)
    numbers = {name: number for number, name in enumerate(labels)}
    quantity, factor, digits = _QUANTITIES[tuning["by"]]
    pictures = [
        _response(tuned, searched, labels, numbers, quantity, factor)
        for tuned in tuning["methods"]
        if tuned["expected"]
        for searched in _drawn_against(tuned)
    ]
    curves = {
        tuned["method"]: [factor * value for value in tuned["expected"]]
        for tuned in tuning["methods"]
        if tuned["expected"]
    }
    budget = figures.budget_figure(
        "tuning-budget", f"Expected best {quantity}", curves, labels, numbers
    )
    return {
        "tuning": tuning,
        "quantity": quantity,
        "legend": [
            entry
            for name, entry in zip(labels, legend_of(results, "tuning"), strict=True)
            if name in curves
        ],
        "pictures": pictures,
        "budget": [picture(budget)],
        "rows": [_row(tuned, labels, factor, digits) for tuned in tuning["methods"]],
    }


def _drawn_against(tuned: schema.TunedMethod) -> list[str]:
    """The coefficients, or the learning rate where it is all that was searched for."""
    return [name for name in tuned["searched"] if name != "lr"] or ["lr"]


def _response(
    tuned: schema.TunedMethod,
    searched: str,
    labels: dict[str, str],
    numbers: dict[str, int],
    quantity: str,
    factor: float,
) -> Picture:
    against = _drawn_against(tuned)
    # Trials on a line differ in one thing alone.
    is_line = len(against) == 1
    points = [
        figures.ResponsePoint(
            at=trial["coefficients"][searched],
            line=(0.0 if searched == "lr" else trial["coefficients"]["lr"]) if is_line else None,
            values=[factor * value for value in trial["values"] if value is not None],
            is_chosen=trial["name"] == tuned["chosen"],
        )
        for trial in tuned["trials"]
        if any(value is not None for value in trial["values"])
    ]
    rates = {trial["coefficients"]["lr"] for trial in tuned["trials"]}
    caption = ""
    if searched != "lr" and len(rates) > 1:
        caption = f"A line for each of {len(rates)} learning rates."
    svg = figures.response_figure(
        f"tuning-{numbers[tuned['method']]}-{searched}",
        labels[tuned["method"]],
        quantity,
        _IN_WORDS.get(searched, searched),
        numbers[tuned["method"]],
        points,
    )
    return picture(svg, caption)


def _row(
    tuned: schema.TunedMethod, labels: dict[str, str], factor: float, digits: int
) -> dict[str, object]:
    trials = tuned["trials"]
    chosen = next((trial for trial in trials if trial["name"] == tuned["chosen"]), None)
    tried = []
    for name in tuned["searched"]:
        values = sorted({trial["coefficients"][name] for trial in trials})
        tried.append(f"{_IN_WORDS.get(name, name)} {', '.join(map(written, values))}")
    failed = sum(trial["mean"] is None for trial in trials)
    return {
        "label": labels[tuned["method"]],
        "tried": "; ".join(tried),
        "trials": len(trials),
        "failed": failed,
        "chosen": None
        if chosen is None
        else "; ".join(
            f"{_IN_WORDS.get(name, name)} {written(chosen['coefficients'][name])}"
            for name in tuned["searched"]
        ),
        "is_default": tuned["chosen"] == tuned["method"],
        "edge": ", ".join(_IN_WORDS.get(name, name) for name in tuned["at_edge"]),
        "value": None
        if chosen is None or chosen["mean"] is None
        else f"{factor * chosen['mean']:.{digits}f}",
    }


TUNING = StudySection(
    anchor="tuning",
    heading="Tuning",
    title="How each method's strength was chosen",
    content=_content,
)
