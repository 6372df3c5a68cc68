"""What ``xueban status`` says: what was prepared, and in which form the encoder computes."""

from collections.abc import Iterator

from bot.settings import Settings
from knowledge.encoder import encoder_form, encoder_name
from knowledge.encoder_form import Choice, Form, Trial, available_forms, load_choice
from knowledge.errors import KnowledgeError
from knowledge.retriever import check_index
from runners.errors import MissingFontError
from runners.figures import chinese_font

_PREPARE = "`xueban prepare`"


def status(settings: Settings) -> list[tuple[str, str]]:
    """Names and values; no encoder is loaded and nothing is written."""
    name = encoder_name(settings)
    choice = load_choice(settings.index_dir, name)
    return [
        ("encoder", name),
        ("form", _form(choice, encoder_form(settings))),
        *_trials(choice),
        ("index", _index(settings)),
        ("figures", figures_font()),
    ]


def figures_font() -> str:
    """What the examples' pictures are written in on this machine, or why there are none."""
    try:
        return f"written in {chinese_font()}"
    except ModuleNotFoundError as error:
        return f"none are drawn here: {error.name} is not installed"
    except MissingFontError as error:
        return f"none can be drawn: {error}"


def _form(choice: Choice | None, used: Form) -> str:
    if choice is None:
        if len(available_forms()) == 1:
            return f"{used}, the only one that this processor computes"
        return f"{used}, until {_PREPARE} has tried the others"
    if choice.form is not used:
        return f"{used}; {choice.form} was chosen, but this processor does not compute it"
    if used is Form.FP32:
        return f"{used}; no other is clearly faster at equal recall"
    return f"{used}, {choice.ratio:.2f} of fp32's time at equal recall"


def _trials(choice: Choice | None) -> Iterator[tuple[str, str]]:
    for trial in choice.trials if choice else ():
        yield f"tried {trial.form}", _measured(trial)


def _measured(trial: Trial) -> str:
    return (
        f"{trial.seconds * 1000:.1f} ms a question (quartiles {trial.low * 1000:.1f} to "
        f"{trial.high * 1000:.1f}), {trial.found} of {trial.asked} found, "
        f"lowest cosine with fp32 {trial.cosine:.5f}"
    )


def _index(settings: Settings) -> str:
    try:
        check_index(settings)
    except KnowledgeError as error:
        return str(error)
    return f"up to date, in {settings.index_dir}"
