"""Post-training quantization (Jacob et al., 2018): a trained network in 8-bit integers."""

import warnings
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from runners.datasets import load_split
from runners.example import Context, Example, Parameters, Says, at_least, at_most
from runners.figures import bars, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

_PASSES = 10


class Settings(Parameters):
    """What a learner may change."""

    channels: Annotated[
        int, Field(ge=4, le=64), Says("第一层卷积的通道数", "channels of the first convolution")
    ] = 16
    hidden: Annotated[
        int, Field(ge=8, le=512), Says("隐藏层的神经元数", "units in the hidden layer")
    ] = 128
    epochs: Annotated[int, Field(ge=1, le=50), Says("训练轮数", "passes over the data")] = 8
    calibration: Annotated[
        int,
        Field(ge=1, le=500),
        Says("用几张训练图片估计激活的范围", "training pictures that show the activations' range"),
    ] = 100


def run(context: Context, parameters: Settings) -> None:
    """Train in float32, convert to int8 in two ways, and compare size, speed and answers."""
    import numpy as np
    import tensorflow as tf

    tf.keras.utils.set_random_seed(parameters.seed)
    tf.config.experimental.enable_op_determinism()
    tf.keras.config.disable_interactive_logging()
    split = load_split("digits", context.datasets, side=28, seed=parameters.seed)
    train, validation, test = ((part.images[..., None], part.labels) for part in split)
    layers, steps = tf.keras.layers, parameters.epochs + 3

    model = tf.keras.Sequential(
        [
            tf.keras.Input((28, 28, 1)),
            layers.Conv2D(parameters.channels, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(2 * parameters.channels, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(parameters.hidden, activation="relu"),
            layers.Dense(10),
        ]
    )
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])

    def report(epoch: int, logs: Any = None) -> None:
        context.metric(step=epoch + 1, validation_accuracy=logs["val_accuracy"])
        context.progress(epoch + 1, steps)

    model.fit(
        *train,
        validation_data=validation,
        epochs=parameters.epochs,
        callbacks=[tf.keras.callbacks.LambdaCallback(on_epoch_end=report)],
        verbose=0,
    )

    def convert(kind: str) -> bytes:
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        if kind != "float32":
            # The weights become 8-bit integers; what the activations range over is found each time.
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if kind == "int8":
            # Real pictures fix those ranges beforehand, so that all is computed in integers.
            pictures = train[0][: parameters.calibration, None]
            converter.representative_dataset = lambda: ([picture] for picture in pictures)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        return converter.convert()

    answers: dict[str, NDArray[np.int64]] = {}
    measured: dict[str, dict[str, Any]] = {}
    for number, kind in enumerate(("float32", "dynamic", "int8"), 1):
        with warnings.catch_warnings():
            # One says that the interpreter moves to the package ai_edge_litert, the other misses
            # statistics of the inputs, which the representative pictures do give.
            warnings.simplefilter("ignore", UserWarning)
            content = convert(kind)
            interpreter = tf.lite.Interpreter(model_content=content, num_threads=1)
        answers[kind], seconds = ask(interpreter, test[0])
        measured[kind] = {
            "size": len(content) / 1000,
            "latency": 1000 * seconds,
            "test_accuracy": float((answers[kind] == test[1]).mean()),
        }
        context.metric(**{f"{kind}_{what}": value for what, value in measured[kind].items()})
        context.progress(parameters.epochs + number, steps)

    # In the last of them: q = round(w / s) is at most half a step off, each unit with its own s.
    kernel = model.layers[-2].kernel.numpy().T
    stored, scales = integers(interpreter, kernel.shape)
    rounding = float((np.abs(stored * scales - kernel) / scales).max())
    agreement = float((answers["int8"] == answers["float32"]).mean())
    context.metric(rounding=rounding, agreement=agreement)
    draw(context, measured, agreement)


def ask(interpreter: Any, pictures: "NDArray[np.float32]") -> "tuple[NDArray[np.int64], float]":
    """What it answers, and the median of the seconds it takes for one picture, on one core."""
    import numpy as np

    interpreter.allocate_tensors()
    given, answer = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    answers, seconds = [], []
    for _ in range(_PASSES):
        answers.clear()
        for picture in pictures:
            interpreter.set_tensor(given["index"], picture[None])
            began = perf_counter()
            interpreter.invoke()
            seconds.append(perf_counter() - began)
            answers.append(interpreter.get_tensor(answer["index"]).argmax())
    return np.array(answers), float(np.median(seconds))


def integers(
    interpreter: Any, shape: tuple[int, ...]
) -> "tuple[NDArray[np.int8], NDArray[np.float32]]":
    """The integers of the kernel of that shape, and the scale of each of its rows."""
    import numpy as np

    (kernel,) = (
        each
        for each in interpreter.get_tensor_details()
        if each["dtype"] is np.int8 and tuple(each["shape"]) == shape
    )
    scales = kernel["quantization_parameters"]["scales"]
    return interpreter.get_tensor(kernel["index"]), scales[:, None]


def draw(context: Context, measured: "Mapping[str, Mapping[str, Any]]", agreement: float) -> None:
    """Show the three beside one another in size, time and accuracy."""
    labels = {"float32": "float32", "dynamic": "动态\ndynamic", "int8": "全 int8\nfull int8"}
    panels = {
        "size": ("大小 size, kB", 1),
        "latency": ("每张 latency, µs", 1000),
        "test_accuracy": ("准确率 right, %", 100),
    }
    title = "同一个网络，三种存法 one network, stored in three ways"
    with new_figure(title, panels=3) as (figure, axes):
        for each, (what, (head, factor)) in zip(axes, panels.items(), strict=True):
            heights = {labels[kind]: factor * measured[kind][what] for kind in measured}
            bars(each, head, heights, "{:.1f}")
    told = {
        kind: (f"{one['size']:.1f} kB", f"{one['latency']:.3f} ms", f"{one['test_accuracy']:.1%}")
        for kind, one in measured.items()
    }
    zh, en = (
        {kind: form.format(*values) for kind, values in told.items()}
        for form in ("{}，每张图 {}，测试准确率 {}", "{}, {} a picture, {} right in the test")
    )
    context.figure(
        "stored",
        figure,
        title=Text(zh="大小、耗时与准确率", en="Size, latency and accuracy"),
        alt=Text(
            zh=f"float32：{zh['float32']}；动态范围量化：{zh['dynamic']}；全 int8：{zh['int8']}，"
            f"{agreement:.1%} 的测试图片答案与 float32 相同。",
            en=f"float32: {en['float32']}; dynamic range: {en['dynamic']}; full int8: "
            f"{en['int8']}, with the same answer as float32 for {agreement:.1%} of the test "
            f"pictures.",
        ),
    )


_KINDS = {
    "float32": Text(zh="float32", en="float32"),
    "dynamic": Text(zh="动态范围", en="dynamic range"),
    "int8": Text(zh="全 int8", en="full int8"),
}
_MEASURES = {
    "size": (Text(zh="文件大小", en="size"), "kB"),
    "latency": (Text(zh="每张图耗时", en="latency"), "ms"),
    "test_accuracy": (Text(zh="测试准确率", en="test accuracy"), ""),
}

EXAMPLE = Example(
    id="tensorflow-quantization",
    framework=Framework.TENSORFLOW,
    title=Text(
        zh="量化：训练好的网络存成 8 位整数", en="Quantization: a trained network in 8 bits"
    ),
    look_at=Text(
        zh="看 int8 的文件是不是约为 float32 的四分之一，准确率几乎不变；耗时却未必"
        "按比例下降，要看硬件。",
        en="See that int8 takes about a quarter of the space of float32 at nearly the same "
        "accuracy, while the latency need not fall in proportion: that is up to the hardware.",
    ),
    compares=Text(zh="float32、动态范围量化、全 int8", en="float32, dynamic range, full int8"),
    claims=(
        at_most("int8_size", "float32_size", times=0.35),
        at_least("int8_test_accuracy", "float32_test_accuracy", plus=-0.02),
        at_least("agreement", 0.97),
    ),
    parameters=Settings,
    metrics=(
        MetricInfo(
            name="validation_accuracy", title=Text(zh="验证准确率", en="validation accuracy")
        ),
        *(
            MetricInfo(
                name=f"{kind}_{measure}",
                title=Text(zh=f"{who.zh}：{what.zh}", en=f"{who.en}: {what.en}"),
                unit=unit,
            )
            for measure, (what, unit) in _MEASURES.items()
            for kind, who in _KINDS.items()
        ),
        MetricInfo(
            name="agreement",
            title=Text(zh="int8 与 float32 答案相同", en="int8 answers as float32 does"),
        ),
        MetricInfo(
            name="rounding",
            title=Text(
                zh="权重的最大舍入误差 ÷ 步长 s", en="largest rounding of a weight ÷ step s"
            ),
        ),
    ),
    run=run,
    limit_s=300,
)
