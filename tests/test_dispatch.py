"""Which row computes a call: asked for, configured, or the cheapest; and what is said if none can."""

import asyncio
import threading
from contextlib import nullcontext

import numpy as np
import pytest
from cases import CASES, problem
from rows import row

import fastconv
from fastconv import dispatch
from fastconv.problem import ConvProblem, PoolProblem

SHAPE = (1, 5, 6, 2)
W = np.ones((3, 2, 2, 4), np.float32)


def chosen(**options):
    return fastconv.plan_conv(SHAPE, W, **options).kernel


def verdicts(text):
    """Split an explanation into its first line and, by row, what it says of each."""
    title, *lines = str(text).splitlines()
    return title, dict(line.strip().split(maxsplit=1) for line in lines)


def test_backends_are_named_in_the_order_of_reading():
    assert fastconv.backends() == ("naive", "einsum", "numba")


def test_the_table_is_every_row_once():
    names = [row.name for row in dispatch.table()]

    assert len(set(names)) == len(names)
    assert {row.backend for row in dispatch.table()} == set(fastconv.backends())
    for backend in fastconv.backends():
        assert [row.name for row in dispatch.table(backend)] == [
            n for n in names if n.startswith(f"{backend}:")
        ]
    for name in names:
        assert [row.name for row in dispatch.table(name)] == [name]
    assert dispatch.table("nothing") == ()


def test_costs_are_seconds():
    for name, (_, dtypes) in CASES.items():
        p = problem(name, dtypes[0])
        for candidate in dispatch.ranking(p, "fast"):
            assert candidate.cost(p) > 0, f"{candidate.name}: {p}"
            assert (candidate.cost(p) == float("inf")) == (candidate.backend == "naive")


def test_the_cheapest_row_is_chosen(add_rows):
    add_rows(row("einsum:slow", cost=1.0), row("einsum:quick", cost=1e-9), row("einsum:middling", cost=1e-8))

    assert chosen().name == "einsum:quick"
    assert [r.name for r in dispatch.ranking(problem("conv 2d"))][:2] == ["einsum:quick", "einsum:middling"]


def test_rows_are_asked_about_their_own_kind_of_problem(add_rows):
    add_rows(row("einsum:pool", kind=PoolProblem, value=7.0))

    assert chosen().name != "einsum:pool"
    np.testing.assert_array_equal(fastconv.max_pool(np.zeros(SHAPE), (2, 3)), np.full((1, 2, 2, 2), 7.0))


@pytest.mark.parametrize(
    ("environment", "used", "argument", "backend"),
    [
        (None, None, "naive", "naive"),
        (None, "naive", "auto", "naive"),
        ("naive", None, "auto", "naive"),
        ("naive", "einsum", "auto", "einsum"),
        ("einsum", "naive", "auto", "naive"),
        ("einsum", "einsum", "naive", "naive"),
        ("naive", "naive", "einsum", "einsum"),
        ("", "naive", "auto", "naive"),
    ],
)
def test_argument_goes_before_use_backend_before_environment(
    monkeypatch, environment, used, argument, backend
):
    if environment is not None:
        monkeypatch.setenv("FASTCONV_BACKEND", environment)

    with fastconv.use_backend(used) if used else nullcontext():
        assert chosen(backend=argument).backend == backend


def test_auto_takes_back_what_the_environment_chose(monkeypatch):
    monkeypatch.setenv("FASTCONV_BACKEND", "naive")

    with fastconv.use_backend("auto"):
        assert chosen().backend != "naive"
    assert chosen().backend == "naive"


def test_every_function_heeds_the_choice(add_rows):
    """By rows that give away that they were called."""
    add_rows(row("naive:told", value=7.0), row("naive:told so", kind=PoolProblem, value=7.0))
    x, d = np.ones(SHAPE, np.float32), np.ones((3, 2, 2, 2), np.float32)
    calls = {
        "conv": lambda **o: fastconv.conv(x, W, **o),
        "depthwise_conv": lambda **o: fastconv.depthwise_conv(x, d, **o),
        "separable_conv": lambda **o: fastconv.separable_conv(x, d, np.ones((1, 1, 4, 3), np.float32), **o),
        "conv_transpose": lambda **o: fastconv.conv_transpose(x, np.ones((3, 2, 4, 2), np.float32), **o),
        "max_pool": lambda **o: fastconv.max_pool(x, 2, **o),
        "min_pool": lambda **o: fastconv.min_pool(x, 2, **o),
        "average_pool": lambda **o: fastconv.average_pool(x, 2, **o),
        "pool": lambda **o: fastconv.pool(x, 2, fn=np.sum, **o),
        "plan_conv": lambda **o: fastconv.plan_conv(SHAPE, W, **o)(x),
        "plan_pool": lambda **o: fastconv.plan_pool(SHAPE, 2, **o)(x),
    }

    for name, call in calls.items():
        np.testing.assert_array_equal(call(backend="naive"), 7.0, err_msg=name)
        assert np.all(call(backend="einsum") != 7.0), name
        with fastconv.use_backend("naive"):
            np.testing.assert_array_equal(call(), 7.0, err_msg=name)


def test_rows_have_full_names():
    for candidate in dispatch.table("einsum"):
        if candidate.problem is ConvProblem:
            w = W if candidate.name == "einsum:matmul" else np.ones((3, 2, 1, 2), np.float32)
            assert fastconv.plan_conv(SHAPE, w, backend=candidate.name).kernel is candidate
    with fastconv.use_backend("einsum:matmul"):
        assert chosen().name == "einsum:matmul"


def test_named_row_that_rejects_is_refused_with_every_reason(add_rows):
    add_rows(row("einsum:choosy", reason="only on Sundays"), row("naive:lame", cost=0.25, reason=None))

    with pytest.raises(NotImplementedError) as caught:
        chosen(backend="einsum:choosy")

    title, said = verdicts(caught.value)
    assert title == (
        "backend='einsum:choosy' cannot compute conv n1 g1 ic2 oc4 i5x6 k3x2 s1x1 d1x1 p0+0x0+0 float32"
    )
    assert said["einsum:choosy"] == "only on Sundays"
    assert said["naive:lame"] == "250 ms"
    assert said["einsum:depthwise"] == "2 input channels a group, only 1"


def test_refused_weights_go_to_the_next_row(add_rows):
    add_rows(
        row("einsum:first", cost=1e-9, refusal="not separable", value=1.0),
        row("einsum:second", cost=2e-9, refusal="of full rank", value=2.0),
        row("einsum:third", cost=3e-9, value=3.0),
    )

    plan = fastconv.plan_conv(SHAPE, W)

    assert plan.kernel.name == "einsum:third"
    assert plan.refusals == {"einsum:first": "not separable", "einsum:second": "of full rank"}
    np.testing.assert_array_equal(plan(np.zeros(SHAPE, np.float32)), 3.0)
    _, said = verdicts(fastconv.explain(plan))
    assert said["einsum:first"] == "not separable"
    assert said["einsum:second"] == "of full rank"
    assert said["planned:"] == "einsum:third"


def test_refused_weights_of_a_named_row_are_an_error(add_rows):
    add_rows(row("einsum:fussy", refusal="rank 3, only 1"))

    with pytest.raises(
        NotImplementedError, match=r"^backend='einsum:fussy' cannot compute conv [^\n]*\n"
    ) as caught:
        chosen(backend="einsum:fussy")
    assert "  einsum:fussy      rank 3, only 1" in str(caught.value).splitlines()
    assert chosen(backend="einsum").name == "einsum:matmul"


def test_explain_lists_every_row_the_cheapest_first():
    for p in (problem("conv depthwise"), problem("pool max 2d")):
        title, said = verdicts(fastconv.explain(p))
        rows = [candidate for candidate in dispatch.table() if isinstance(p, candidate.problem)]
        able = [candidate.name for candidate in dispatch.ranking(p)]
        asked = [candidate.name for candidate in rows if candidate.asked and not candidate.rejects(p)]
        unable = [candidate.name for candidate in rows if candidate.rejects(p)]

        assert title == str(p)
        assert list(said) == able + asked + unable
        for name, verdict in said.items():
            (candidate,) = dispatch.table(name)
            expected = candidate.rejects(p) or f"{candidate.cost(p) * 1e3:.3g} ms"
            if name in asked:
                expected += ", if asked for"
            assert verdict == expected


def test_explain_says_what_was_planned():
    plan = fastconv.plan_conv(SHAPE, W, backend="naive")

    assert fastconv.explain(plan) == f"{fastconv.explain(plan.problem)}\nplanned: naive:conv"
    assert repr(plan) == f"<Plan {plan.problem} by naive:conv>"


def test_use_backend_is_of_one_thread():
    seen = {}

    def other():
        seen["other"] = chosen().backend

    with fastconv.use_backend("naive"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        seen["own"] = chosen().backend

    assert seen["own"] == "naive"
    assert seen["other"] != "naive"


def test_use_backend_is_of_one_task():
    async def task(name):
        with fastconv.use_backend(name):
            await asyncio.sleep(0)
            return chosen().backend

    async def both():
        return await asyncio.gather(task("naive"), task("einsum"))

    assert asyncio.run(both()) == ["naive", "einsum"]


def test_use_backend_ends_with_its_block():
    with fastconv.use_backend("naive"):
        with fastconv.use_backend("einsum"):
            assert chosen().backend == "einsum"
        assert chosen().backend == "naive"
        with pytest.raises(ZeroDivisionError), fastconv.use_backend("einsum"):
            raise ZeroDivisionError
        assert chosen().backend == "naive"
    assert chosen().backend != "naive"


def test_the_choice_does_not_follow_the_number_of_threads():
    problems = [problem(name, dtypes[0]) for name, (_, dtypes) in CASES.items()]
    before, threads = [dispatch.choose(p).name for p in problems], fastconv.get_num_threads()
    try:
        fastconv.set_num_threads(1)
        dispatch.ranking.cache_clear()
        assert [dispatch.choose(p).name for p in problems] == before
    finally:
        fastconv.set_num_threads(threads)
