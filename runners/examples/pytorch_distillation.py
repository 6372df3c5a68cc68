"""Knowledge distillation (Hinton et al., 2015): the same pictures, with a teacher's answers."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from runners.datasets import load_split
from runners.example import Context, Example, Parameters, Says, at_least, at_most
from runners.figures import bars, curves, new_figure
from runners.protocol.catalogue import MetricInfo
from runners.protocol.words import Framework, Text

if TYPE_CHECKING:
    from torch import Tensor, nn


class Settings(Parameters):
    """What a learner may change."""

    temperature: Annotated[
        float,
        Field(ge=1, le=20),
        Says("温度 T：越大，老师的答案越平", "temperature T: the larger, the flatter the answers"),
    ] = 4.0
    alpha: Annotated[
        float,
        Field(ge=0, le=1),
        Says("软标签在损失里占几成", "share of the soft labels in the loss"),
    ] = 0.5
    labels_each: Annotated[
        int, Field(ge=1, le=100), Says("每类有几张带标签的图", "labelled pictures of each class")
    ] = 5
    hidden: Annotated[
        int, Field(ge=4, le=256), Says("学生的隐藏神经元数", "hidden units of the student")
    ] = 16
    teacher_epochs: Annotated[
        int, Field(ge=1, le=50), Says("老师训练几轮", "epochs of the teacher's training")
    ] = 15
    epochs: Annotated[
        int, Field(ge=1, le=200), Says("学生学几轮，每轮 40 步", "a student's rounds of 40 steps")
    ] = 25


def run(context: Context, parameters: Settings) -> None:
    """Teach a small student with few labels: alone, with soft labels, and with more pictures."""
    import torch
    import torch.nn.functional as F  # noqa: N812 - PyTorch's own name for it
    from torch import nn

    device = "cuda" if torch.cuda.is_available() else "cpu"
    split = load_split("digits", context.datasets, side=8, seed=parameters.seed)
    (x, y), (few_x, few_y), (test_x, test_y) = (
        (torch.tensor(part.images)[:, None].to(device), torch.tensor(part.labels).to(device))
        for part in (split.train, split.train.few(parameters.labels_each), split.test)
    )

    def accuracy(model: nn.Module) -> float:
        with torch.inference_mode():
            return (model(test_x).argmax(1) == test_y).float().mean().item()

    # The teacher is large and learns from every label; its students will have few.
    teacher = train_teacher(context, parameters, x, y)
    with torch.no_grad():
        few_logits, logits = teacher(few_x), teacher(x)

    def size(model: nn.Module) -> int:
        return sum(weight.numel() for weight in model.parameters())

    best = accuracy(teacher)
    context.metric(teacher_accuracy=best, teacher_parameters=size(teacher))

    heat, alpha = parameters.temperature, parameters.alpha
    lessons = {"alone": None, "taught": (few_x, few_logits), "more": (x, logits)}
    accuracies: dict[str, list[float]] = {name: [] for name in lessons}
    for number, (name, lesson) in enumerate(lessons.items()):
        torch.manual_seed(parameters.seed)  # all three start from the same weights
        student = nn.Sequential(
            *(nn.Flatten(), nn.Linear(64, parameters.hidden), nn.ReLU()),
            nn.Linear(parameters.hidden, 10),
        ).to(device)
        optimizer = torch.optim.Adam(student.parameters(), lr=0.003)
        for epoch in range(1, parameters.epochs + 1):
            for _ in range(40):
                loss = F.cross_entropy(student(few_x), few_y)
                if lesson:
                    pictures, answers = lesson
                    batch = torch.randint(len(pictures), (64,))
                    soft = F.kl_div(
                        F.log_softmax(student(pictures[batch]) / heat, dim=1),
                        F.softmax(answers[batch] / heat, dim=1),
                        reduction="batchmean",
                    )
                    # Over T, the soft part's gradients shrink with T²; the factor mends that.
                    loss = alpha * heat**2 * soft + (1 - alpha) * loss
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            accuracies[name].append(accuracy(student))
            context.metric(step=epoch, **{f"{name}_accuracy": accuracies[name][-1]})
            context.progress(number * parameters.epochs + epoch, 3 * parameters.epochs)
        told: dict[str, Any] = {f"{name}_accuracy": accuracies[name][-1]}
        context.metric(**told, student_parameters=size(student))

    # The picture that the teacher is least sure of says most beside its label.
    hard, soft = (F.softmax(few_logits / by, dim=1).cpu() for by in (1, heat))
    at = int(soft.amax(1).argmin())
    label = int(few_y[at])
    like = int(soft[at].index_fill(0, torch.tensor([label]), 0).argmax())

    title = f"每类 {parameters.labels_each} 张标注 labels a class"
    with new_figure(title, panels=2) as (figure, (left, right)):
        lines = {_STUDENTS[name].zh + " " + name: values for name, values in accuracies.items()}
        curves(left, "测试准确率 accuracy", lines)
        left.axhline(best, color="black", linestyle=":", label="老师 teacher")
        heights = {str(digit): share for digit, share in enumerate(soft[at].tolist())}
        bars(right, f"老师看一个 {label} teacher on a {label}, T={heat:g}", heights, "{:.2f}")
    ends = {name: f"{values[-1]:.1%}" for name, values in accuracies.items()}
    sure, doubt = (f"{answers[at, label].item():.0%}" for answers in (hard, soft))
    context.figure(
        "accuracy",
        figure,
        title=Text(
            zh="三个学生和老师的准确率", en="The accuracy of three students and the teacher"
        ),
        alt=Text(
            zh=f"老师测试准确率 {best:.1%}。学生每类只有 {parameters.labels_each} 张标注：自己学 "
            f"{ends['alone']}，同样的图加老师的软标签 {ends['taught']}，老师再讲没标注的图 "
            f"{ends['more']}。老师最没把握的一张 {label}：T=1 时给 {label} {sure}，"
            f"T={heat:g} 时给 {doubt}，其次像 {like}。",
            en=f"The teacher reads {best:.1%} of the test pictures. The small student has "
            f"{parameters.labels_each} labels a class: alone it reads {ends['alone']}, with the "
            f"teacher's soft labels on the same pictures {ends['taught']}, with soft labels on "
            f"unlabelled ones too {ends['more']}. Of the {label} it is least sure of, the teacher "
            f"says {label} with {sure} at T=1 and {doubt} at T={heat:g}; next comes {like}.",
        ),
    )


def train_teacher(
    context: Context, parameters: Settings, x: "Tensor", y: "Tensor"
) -> "nn.Sequential":
    """A convolutional network that has learnt the pictures ``x`` and their labels ``y``."""
    import torch
    from torch import nn

    torch.manual_seed(parameters.seed)
    teacher = nn.Sequential(
        *(nn.Conv2d(1, 32, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Dropout(0.3), nn.Linear(1024, 128), nn.ReLU(), nn.Linear(128, 10)),
    ).to(x.device)
    optimizer = torch.optim.Adam(teacher.parameters())
    for epoch in range(parameters.teacher_epochs):
        for batch in torch.randperm(len(x)).split(32):
            optimizer.zero_grad()
            nn.functional.cross_entropy(teacher(x[batch]), y[batch]).backward()
            optimizer.step()
        context.progress(epoch + 1, parameters.teacher_epochs, _TEACHER)
    return teacher.eval()  # it answers without dropout


_TEACHER = Text(zh="老师在学", en="the teacher learns")
_STUDENTS = {
    "alone": Text(zh="自己学", en="student alone"),
    "taught": Text(zh="同样的图加软标签", en="soft labels on the same"),
    "more": Text(zh="再加没标注的图", en="and on unlabelled ones"),
}

EXAMPLE = Example(
    id="pytorch-distillation",
    framework=Framework.PYTORCH,
    title=Text(zh="知识蒸馏：老师的软标签教学生", en="Distillation: soft labels teach a student"),
    look_at=Text(
        zh="前两个学生看的图一张不差，只多了老师的软标签，准确率就高出一截；"
        "右图是软标签里的“暗知识”：老师觉得它还像谁。",
        en="The first two students see the very same pictures; the teacher's soft labels alone "
        "make the difference. On the right is the dark knowledge in one: what else it looks like.",
    ),
    compares=Text(
        zh="学生自己学、加软标签、再加没标注的图",
        en="a student alone, with soft labels, and with unlabelled pictures too",
    ),
    claims=(
        at_least("taught_accuracy", "alone_accuracy", plus=0.03),
        at_least("more_accuracy", "alone_accuracy", plus=0.05),
        at_most("student_parameters", "teacher_parameters", times=0.05),
    ),
    parameters=Settings,
    metrics=(
        MetricInfo(name="teacher_accuracy", title=Text(zh="老师准确率", en="teacher's accuracy")),
        *(
            MetricInfo(
                name=f"{name}_accuracy",
                title=Text(zh=f"{who.zh}：准确率", en=f"{who.en}: accuracy"),
            )
            for name, who in _STUDENTS.items()
        ),
        MetricInfo(name="teacher_parameters", title=Text(zh="老师参数量", en="teacher's size")),
        MetricInfo(name="student_parameters", title=Text(zh="学生参数量", en="student's size")),
    ),
    run=run,
    limit_s=300,
    lower=("hidden",),
)
