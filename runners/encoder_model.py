"""The tutor's own encoder as the plain transformer that it is: to be measured, cut or taught.

It is read as files: what runs here knows nothing of the package that answers with it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from runners.errors import MissingDatasetError


def load_encoder(folder: Path) -> tuple[Any, Any]:
    """The tokenizer and the transformer in ``folder``: float32, without dropout.

    Raises:
        MissingDatasetError: there is no such folder.
    """
    import transformers

    library: Any = transformers  # whose types are half known
    if not folder.is_dir():
        raise MissingDatasetError("the sentence encoder")
    library.logging.set_verbosity_error()  # it would name the pooler, which is left out
    library.logging.disable_progress_bar()
    model = library.AutoModel.from_pretrained(folder, add_pooling_layer=False, dtype="float32")
    return library.AutoTokenizer.from_pretrained(folder), model.eval()


def encode(tokenizer: Any, encoder: Any, texts: Sequence[str]) -> Any:  # noqa: ANN401 - PyTorch is not imported here
    """Their vectors, a tensor of one row of length 1 each: the mean over what is no padding."""
    tokens = tokenizer(list(texts), padding=True, return_tensors="pt").to(encoder.device)
    real = tokens["attention_mask"][..., None]
    means = (encoder(**tokens).last_hidden_state * real).sum(1) / real.sum(1)
    return means / means.norm(dim=1, keepdim=True)
