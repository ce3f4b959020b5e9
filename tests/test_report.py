"""The README's table is made from the benchmarks' JSON: here from one made by hand."""

import json

import numpy as np
import pytest
from photographs import needs_demo

from bench import measured, report, summary
from bench.workloads import PROBLEMS

CONV = "conv n1 g1 ic3 oc4 i28x28 k2x2 s2x2 d1x1 p0+0x0+0 float32"
POOL = "pool max n1 c64 i112x112 k3x3 s2x2 d1x1 p0+1x0+1 float32"
DEPTHWISE = "conv n1 g96 ic1 oc1 i56x28 k3x5 s1x1 d1x1 p1+1x2+2 float32"


def row(workload, problem, kernel, seconds, speedup, *chosen_by, note=""):
    return dict(
        kind="kernel",
        workload=workload,
        problem=problem,
        kernel=kernel,
        seconds=seconds,
        speedup=speedup,
        chosen_by=list(chosen_by),
        note=note,
        limit="copy" if problem == POOL else "matmul",
        limit_rate=2e11 if workload == "article/conv" else 1e10,
        rate=1e9,
        predicted=None if kernel.startswith("naive") else 2 * seconds,
        first_call=0.5,
        flops=1,
        bytes=1,
    )


CROP = "naive scaled from a 2-row crop"
ROWS = [
    row("article/conv", CONV, "naive:conv", 0.005, 1.0, "naive"),
    row("article/conv", CONV, "einsum:matmul", 40e-6, 125.0, "einsum"),
    row("article/conv", CONV, "einsum:slow", 80e-6, 62.5),
    row("article/conv", CONV, "numba:direct", 5e-6, 1000.0, "auto", "numba"),
    row("net/dw", DEPTHWISE, "naive:conv", 0.01, 1.0, "naive"),
    row("net/dw", DEPTHWISE, "einsum:depthwise", 123.44444e-6, 81.0, "auto", "einsum"),
    row("resnet50/pool1", POOL, "naive:pool", 5.6, 1.0, "naive", note=CROP),
    row("resnet50/pool1", POOL, "einsum:separable", 700e-6, 8000.0, "einsum", note=CROP),
    row("resnet50/pool1", POOL, "numba:pool", 70e-6, 64000.0, "auto", "numba", note=CROP),
]
AUTO = [
    dict(kind="auto", workload="article/conv", chosen="a", best="b", regret=2.0, seconds=1.0),
    dict(kind="auto", workload="net/dw", chosen="a", best="a", regret=1.0, seconds=1.0),
    dict(kind="auto", workload="resnet50/pool1", chosen="a", best="c", regret=1.1, seconds=1.0),
]
OVERHEAD = dict(
    kind="overhead", workload="article/conv", kernel="numba:direct", bare=5e-6, plan=6.5e-6, call=30e-6
)
MACHINE = dict(threads=2, versions=dict(fastconv="0.1.0", numpy="2.4.6"), others=0.1234)
RUN = {
    "datetime": "2026-02-03T04:05:06.789+00:00",
    "commit_info": {"id": "0123456789abcdef"},
    "machine_info": {
        "cpu": {"brand_raw": "A CPU", "count": 2},
        "python_version": "3.12.1",
        "fastconv": MACHINE,
    },
    "benchmarks": [{"extra_info": each, "stats": {"data": [1.0]}} for each in [*ROWS, *AUTO, OVERHEAD]],
}

# Geometric means: einsum (125 * 81 * 8000) ** (1/3) = 432.7, numba (1000 * 64000) ** (1/2) = 8000.
SECTION = r"""A CPU, 2 threads; Python 3.12.1, fastconv 0.1.0, numpy 2.4.6 (0123456789ab, 2026-02-03). float32. NumPy on the same machine, beside the kernels: matmul 105 GFLOP/s (10 to 200), copy 10 GB/s (10 to 10). Other processes took 12% of the CPUs.

Faster than the naive loops, geometric mean over the layers: einsum 433x (at least 81x, net/dw); numba 8,000x (at least 1,000x, article/conv).

<details><summary>Every layer</summary>

| workload | layer | einsum us | numba us | auto picks | einsum x naive | numba x naive |
| :-- | :-- | --: | --: | :-- | --: | --: |
| article/conv | 28x28x3 to 4, 2x2, stride 2 | 40 | 5 | numba:direct | 125 | 1,000 |
| net/dw | 56x28x96, depthwise 3x5 | 123 |  | einsum:depthwise | 81 |  |
| resnet50/pool1 \* | 112x112x64, max 3x3, stride 2 | 700 | 70 | numba:pool | 8,000 | 64,000 |

\* The naive loops were timed on a corner of the layer's outputs and scaled by multiply-adds (pooling: elements reduced).

</details>

<details><summary>Plot</summary>

![Speedup over the naive loops](bench/results/speedup.svg)

</details>"""  # noqa: E501 (lines of the README)


def test_section_is_the_table_of_the_json():
    assert report.section(report.reduced(RUN)) == SECTION


@pytest.mark.parametrize(
    ("workload", "said"),
    [
        ("resnet50/conv4_3x3_n8", "8 of 14x14x256 to 256, 3x3"),
        ("unet/up", "28x28x256 to 128, 2x2, transposed, stride 2"),
        ("deeplab/aspp6", "33x33x256 to 256, 3x3, dilation 6"),
        ("resnext50/conv2_g32", "56x56x128 to 128, 3x3, 32 groups"),
        ("mobilenetv2/block1_dw", "112x112x96, depthwise 3x3, stride 2"),
        ("speech/1d", "64 of 3000x384, max 2, stride 2"),
    ],
)
def test_layers_are_named_in_short(workload, said):
    problem = str(PROBLEMS[workload])
    run = dict(
        RUN, benchmarks=[{"extra_info": row(workload, problem, "numba:x", 1e-6, 2.0, "auto", "numba")}]
    )

    assert f"| {workload} | {said} | 1 | numba:x | 2 |" in report.section(report.reduced(run)).splitlines()


def test_results_are_read_back_as_written():
    results = report.reduced(RUN)

    text = report.written(results)

    assert json.loads(text) == results
    assert "stats" not in text
    assert sum('"kind"' in line for line in text.splitlines()) == len(ROWS)  # one a line


def test_readme_is_untouched_outside_the_markers():
    before, after = "# Title\n\nabove \r\n", "\n\nbelow | stays |\n"
    readme = f"{before}<!-- benchmarks:begin -->\nold\n\nold\n<!-- benchmarks:end -->{after}"

    once = report.inserted(readme, "benchmarks", "new \\1 text")

    assert once == f"{before}<!-- benchmarks:begin -->\nnew \\1 text\n<!-- benchmarks:end -->{after}"
    assert report.inserted(once, "benchmarks", "new \\1 text") == once


@pytest.mark.parametrize(
    ("readme", "counts"),
    [
        ("no markers", "0 and 0"),
        ("<!-- benchmarks:begin --> only", "1 and 0"),
        ("only <!-- benchmarks:end -->", "0 and 1"),
        ("<!-- benchmarks:end --> before <!-- benchmarks:begin -->", "1 and 1"),
        ("<!-- peers:begin --><!-- peers:end -->", "0 and 0"),
    ],
)
def test_readme_without_markers_is_refused(readme, counts):
    with pytest.raises(ValueError, match=f"benchmarks:begin.*benchmarks:end.*; got {counts}"):
        report.inserted(readme, "benchmarks", "text")


def test_speedups_are_averaged_geometrically_over_what_a_backend_chooses():
    assert measured.backends(ROWS) == ["einsum", "numba"]
    np.testing.assert_allclose(measured.speedup(measured.chosen(ROWS, "numba").values()), 8000)
    np.testing.assert_allclose(
        measured.speedup(measured.chosen(ROWS, "auto").values()) ** 3, 1000 * 81 * 64000
    )


def test_summary_lists_kernels_backends_regrets_and_overheads():
    lines = summary.text([*ROWS, *AUTO, OVERHEAD], MACHINE).splitlines()
    cells = [line.split() for line in lines]

    fastest, slower, *_ = [line for line in cells if line[:1] == ["article/conv"]]
    assert fastest == ["article/conv", "numba:direct", "5.0", "1", "0.5%", "1,000.0", "2.00", "0.50"]
    assert slower[1] == "einsum:matmul"
    crop = next(line for line in lines if "naive:pool" in line)
    assert crop.split()[2:7] == ["5,600,000.0", "1", "10.0%", "1.0", "0.50"]
    assert crop.endswith("naive scaled from a 2-row crop")
    assert ["numba", "2", "8,000.0", "1,000.0", "article/conv"] in cells
    assert ["article/conv", "a", "b", "2.00"] in cells
    assert ["resnet50/pool1", "a", "c", "1.10"] not in cells  # tolerable
    assert ["article/conv", "numba:direct", "5.0", "1.5", "25.0"] in cells
    assert "auto: 2 of 3 choices within 1.15" in "\n".join(lines)


@pytest.mark.parametrize(("others", "told"), [(0.051, True), (0.05, False), (None, False)])
def test_summary_tells_when_the_machine_was_busy(others, told):
    text = summary.text(ROWS, dict(MACHINE, others=others))

    assert ("Other processes took 5% of the CPUs" in text) == told


def test_section_says_nothing_of_other_processes_where_they_are_unknown():
    run = dict(RUN, machine_info=dict(RUN["machine_info"], fastconv=dict(MACHINE, others=None)))

    assert report.section(report.reduced(run)) == SECTION.replace(
        " Other processes took 12% of the CPUs.", ""
    )


@needs_demo
def test_plots_have_a_dot_for_each_result(tmp_path):
    from bench import plot

    plot.speedup(report.reduced(RUN), tmp_path / "one.svg")
    plot.speedup(report.reduced(RUN), tmp_path / "two.svg")

    text = (tmp_path / "one.svg").read_text()
    assert text == (tmp_path / "two.svg").read_text()
    assert all(word in text for word in ("article/conv", "net/dw", "einsum", "numba"))
    assert text.count("<use ") >= 5
