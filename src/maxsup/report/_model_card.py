"""What a README.md beside a trained model's weights says on the Hugging Face Hub."""

import json

from maxsup.report._paper_table import in_markdown, markdown_table
from maxsup.results import Results, command_without_places, without_places
from maxsup.results.schema import Run

_HUB = "hf:"


def model_card(results: Results, method: str, seed: int) -> str:
    """The model card of one of a study's runs, as ``README.md`` beside its weights.

    Its front matter tells the Hub what the model is, with the measures of this one model; below
    stand how to use it, the study's table with its intervals, what is concluded, and the command.
    A license is for the model's owner to choose: the line for it is a comment.

    Args:
        results: The results of :func:`maxsup.study.compare`, of
            :func:`maxsup.results.read_results` or of :func:`maxsup.results.analyse_again`.
        method: The run's method, as the results name it.
        seed: The run's seed.

    Returns:
        YAML between lines of dashes, and Markdown, with a newline at the end.

    Raises:
        ValueError: The study has no such run, or one that failed; or its runs are no classifiers
            that maxsup has trained.
    """
    if "predictions" in results:
        raise ValueError(
            "A model card is of a model that maxsup has trained; this study judges predictions of "
            "another program, whose models are not here."
        )
    if results["recipe"].get("head") is not None:
        raise ValueError(
            "A model card is of a model that classifies images; this study's models segment them."
        )
    run = _run(results, method, seed)
    return f"---\n{_front_matter(results, run)}---\n\n{_text(results, run)}"


def _run(results: Results, method: str, seed: int) -> Run:
    for run in results["runs"]:
        if (run["method"], run["seed"]) == (method, seed):
            if run["status"] == "failed":
                raise ValueError(f"{method} with seed {seed} failed, so there is no model of it.")
            return run
    methods = dict.fromkeys(run["method"] for run in results["runs"])
    seeds = sorted({run["seed"] for run in results["runs"]})
    raise ValueError(
        f"The study has no run {method}/seed-{seed}. Its methods are {', '.join(methods)}, and its "
        f"seeds {', '.join(map(str, seeds))}."
    )


def _front_matter(results: Results, run: Run) -> str:
    """What the Hub reads, in YAML, whose strings may be written as those of JSON."""
    data = results["data"]
    library = "timm" if _is_of_timm(results) else "maxsup"
    on_hub = f"{_HUB}{data['name']}" in results["command"].split()
    lines = [
        "# license: yours to choose, see https://huggingface.co/docs/hub/repositories-licenses",
        f"library_name: {library}",
        "pipeline_tag: image-classification",
        "tags:",
        *(f"- {tag}" for tag in dict.fromkeys(("image-classification", library, "maxsup"))),
    ]
    if on_hub:
        lines += ["datasets:", f"- {_quoted(data['name'])}"]
    lines += [
        "model-index:",
        f"- name: {_quoted(_title(results, run))}",
        "  results:",
        "  - task:",
        "      type: image-classification",
        "    dataset:",
        # The Hub takes it for the id of a data set that it holds.
        f"      type: {_quoted(data['name']) if on_hub else 'not-on-the-hub'}",
        f"      name: {_quoted(_data(results))}",
        "      split: test",
        "    metrics:",
    ]
    for measure in results["measures"]:
        value = run["values"].get(measure["name"])
        if measure["split"] == "test" and measure["headline"] and value is not None:
            lines += [
                f"    - type: {measure['name'].removeprefix('test_')}",
                f"      name: {_quoted(measure['label'])}",
                f"      value: {value!r}",
            ]
    return "\n".join(lines) + "\n"


def _text(results: Results, run: Run) -> str:
    method = next(each for each in results["methods"] if each["name"] == run["method"])
    trained_by = method["label"] + (f" ({method['settings']})" if method["settings"] else "")
    versions = results["versions"]
    return "\n".join(
        [
            f"# {in_markdown(_title(results, run))}",
            "",
            f"`{results['recipe']['model']}` for {len(results['data']['classes'])} classes, "
            f"trained by {in_markdown(trained_by)} on {in_markdown(_data(results))}, "
            f"seed {run['seed']}. It is one model of a study of "
            f"{_counted(len(results['methods']), 'method')} with "
            f"{_counted(len(results['seeds']), 'seed')}, made with maxsup {versions['maxsup']}. "
            "The metrics in this card's head are of this model alone.",
            "",
            "## Use",
            "",
            "```python",
            *(_USE_IN_TIMM if _is_of_timm(results) else _USE_IN_MAXSUP),
            "```",
            "",
            "## The study",
            "",
            in_markdown(results["verdict"]["sentence"]),
            "",
            markdown_table(results),
            *(f"- {in_markdown(without_places(note))}" for note in results["verdict"]["notes"]),
            "",
            "## Repeat it",
            "",
            "```",
            *command_without_places(results["command"]).splitlines(),
            "```",
            "",
            "Versions: " + ", ".join(f"{name} {value}" for name, value in versions.items()) + ".",
            "",
        ]
    )


_USE_IN_TIMM = (
    "import timm",
    "",
    'model = timm.create_model("hf-hub:OWNER/NAME", pretrained=True).eval()',
    "transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))",
    'classes = model.pretrained_cfg["label_names"]',
)
_USE_IN_MAXSUP = (
    "import maxsup",
    "from huggingface_hub import snapshot_download",
    "",
    'run = maxsup.models.load_run(snapshot_download("OWNER/NAME"))',
    "run.model, run.classes, run.preprocess  # an image's path gives what the model takes",
)


def _is_of_timm(results: Results) -> bool:
    """Whether timm alone can read the models."""
    # It loads torch, which the other forms of a study's numbers do without.
    from maxsup.models._own import is_own

    recipe = results["recipe"]
    return not (recipe["small_stem"] or recipe["blur_pool"] or is_own(str(recipe["model"])))


def _title(results: Results, run: Run) -> str:
    label = next(each["label"] for each in results["methods"] if each["name"] == run["method"])
    return f"{results['recipe']['model']} on {results['data']['name']}, {label}"


def _data(results: Results) -> str:
    noise = results["data"]["label_noise"]
    return results["data"]["name"] + (f" with {100 * noise:g} % label noise" if noise else "")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
