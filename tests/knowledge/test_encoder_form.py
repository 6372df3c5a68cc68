from pathlib import Path

import pytest

from knowledge.encoder_form import (
    Choice,
    Form,
    Trial,
    available_forms,
    chosen,
    load_choice,
    save_choice,
    usable,
)

FP32 = Trial(Form.FP32, 0.030, 0.029, 0.032, 1.0, 75, 100)


def bf16(*, seconds: float = 0.015, cosine: float = 0.9993, found: int = 75) -> Trial:
    return Trial(Form.BF16, seconds, seconds, seconds, cosine, found, 100)


@pytest.mark.parametrize(
    ("other", "form"),
    [
        (bf16(), Form.BF16),
        (bf16(found=80), Form.BF16),
        (bf16(found=74), Form.BF16),
        (bf16(seconds=0.028), Form.FP32),
        (bf16(seconds=0.060), Form.FP32),
        (bf16(cosine=0.99), Form.FP32),
        (bf16(cosine=float("nan")), Form.FP32),
        (bf16(found=73), Form.FP32),
    ],
)
def test_the_clearly_faster_form_is_chosen_if_it_finds_the_same(other: Trial, form: Form) -> None:
    assert chosen([FP32, other]) is form
    assert chosen([other, FP32]) is form


@pytest.mark.parametrize(
    ("description", "forms"),
    [
        ("flags\t\t: fpu avx512f avx512_bf16 gfni\n", (Form.FP32, Form.BF16)),
        ("processor : 0\nflags : fpu amx_bf16 amx_tile\n", (Form.FP32, Form.BF16)),
        ("Features\t: fp asimd bf16 i8mm\n", (Form.FP32, Form.BF16)),
        ("flags\t\t: fpu avx2 avx512f avx512_vnni\n", (Form.FP32,)),
        ("model name\t: a bf16 processor\nflags\t\t: fpu\n", (Form.FP32,)),
        ("", (Form.FP32,)),
    ],
)
def test_bf16_is_there_where_the_processor_says_so(
    tmp_path: Path, description: str, forms: tuple[Form, ...]
) -> None:
    processor = tmp_path / "cpuinfo"
    processor.write_text(description, "utf-8")
    assert available_forms(processor) == forms


def test_an_undescribed_processor_computes_fp32(tmp_path: Path) -> None:
    assert available_forms(tmp_path / "cpuinfo") == (Form.FP32,)


def test_another_processor_falls_back_to_fp32() -> None:
    choice = Choice("e5", Form.BF16, (FP32, bf16()))
    assert usable(choice, (Form.FP32, Form.BF16)) is Form.BF16
    assert usable(choice, (Form.FP32,)) is Form.FP32
    assert usable(None, (Form.FP32, Form.BF16)) is Form.FP32


def test_the_ratio_is_to_the_time_in_fp32() -> None:
    assert Choice("e5", Form.BF16, (FP32, bf16())).ratio == pytest.approx(0.5)
    assert Choice("e5", Form.FP32, (FP32, bf16())).ratio == 1


def test_a_saved_choice_is_that_of_its_encoder(tmp_path: Path) -> None:
    choice = Choice("e5", Form.BF16, (FP32, bf16()))
    assert load_choice(tmp_path, "e5") is None
    save_choice(tmp_path, choice)
    assert load_choice(tmp_path, "e5") == choice
    assert load_choice(tmp_path, "another") is None


@pytest.mark.parametrize("content", ["", "{}", '{"encoder": "e5", "form": "int3", "trials": []}'])
def test_a_damaged_choice_is_none(tmp_path: Path, content: str) -> None:
    save_choice(tmp_path, Choice("e5", Form.BF16, (FP32, bf16())))
    (path,) = tmp_path.iterdir()
    path.write_text(content, "utf-8")
    assert load_choice(tmp_path, "e5") is None
