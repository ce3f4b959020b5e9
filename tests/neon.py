"""Generate every kernel for the vectors of 64-bit ARM, 4 floats wide and 32 of them, on whatever this is.

    python tests/neon.py

Here the kernels must compute what the definition does, though this machine's registers are others; and for
ARM, LLVM must accept what they are compiled to and make vector instructions of it. Prints a row a line.
"""

import re

import numpy as np
from llvmlite import binding
from numba.core.codegen import CPUCodeLibrary

from fastconv.backends.numba import registers

registers.BYTES, registers.REGISTERS = 16, 32  # before any kernel is sized by them

from cases import arrays, blank, problem  # noqa: E402
from rows import weights_for  # noqa: E402

from fastconv import dispatch  # noqa: E402
from fastconv.backends import naive  # noqa: E402
from fastconv.backends.numba import jit, native, workers  # noqa: E402
from fastconv.problem import ConvProblem  # noqa: E402

TRIPLE = "aarch64-unknown-linux-gnu"
CONVS = (
    "2d",
    "1x1 tails",
    "groups of a few",
    "depthwise strides",
    "channels first",
    "channels first, 1x1 tiles",
    "pixels",
    "signal",
)
POOLS = "max 2d", "mean same", "max planes", "max pairs of taps, 2 channels", "mean planes, global"
REST = "sum large window", "max indices", "jitted", "bitwise_xor"
WANTED = [*(f"conv {name}" for name in CONVS), *(f"pool {name}" for name in (*POOLS, *REST))]
VECTORS = re.compile(r"\bv\d+\.(4s|16b)|\bq\d+\b")


def assembly(machine, module):
    """Compile a module of this machine's for ARM, from what LLVM's general passes have left of it."""
    text = re.sub(r"(?m)^target (triple|datalayout) = .*$| immarg", "", module)
    text = text.replace("@llvm.x86.", "@here.")  # in how threads wait, and Numba counts references to arrays
    text = text.replace('asm "", "=v,', 'asm "", "=w,')  # what ties a number to a vector, of any register
    return machine.emit_assembly(binding.parse_assembly(f'target triple = "{TRIPLE}"\n{text}'))


def keep(modules):
    """Have all modules listed that kernels are compiled to, before LLVM makes this machine's code of them."""
    optimise, compile_here = CPUCodeLibrary._optimize_final_module, jit.machine_code
    optimised = {}

    def and_remember(library):
        optimise(library)
        optimised[library.name] = str(library._final_module)

    def and_keep(function, signature):
        made = compile_here(function, signature)
        modules.append(optimised[function.overloads[signature].library.name])
        return made

    CPUCodeLibrary._optimize_final_module = and_remember
    jit.machine_code = workers.machine_code = native.machine_code = and_keep


def check(row, name):
    """Compute a case that a row accepts, and compare with the definition."""
    p = problem(name)
    x, w, bias = arrays(p, np.random.default_rng(0))
    w = weights_for(row, p, w)
    y, expected, size = blank(p), blank(p), blank(p)
    row.run(p, x, row.prepare(p, w), bias, y)
    define = naive.conv if isinstance(p, ConvProblem) else naive.pool
    define(p, x, w, bias, expected)
    if row.exact:
        np.testing.assert_array_equal(y, expected, err_msg=f"{row.name} {name}")
    else:
        define(p, abs(x), abs(w), None, size)
        excess = abs(y - expected) > row.error(p, size, x, w)
        np.testing.assert_array_equal(excess, False, err_msg=f"{row.name} {name}")


def main():
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    machine = binding.Target.from_triple(TRIPLE).create_target_machine("neoverse-n1", opt=2)
    modules = []
    keep(modules)
    for row in dispatch.table("numba"):
        names = [n for n in WANTED if isinstance(problem(n), row.problem) and not row.rejects(problem(n))]
        for name in names:
            check(row, name)
        counts = [len(VECTORS.findall(assembly(machine, module))) for module in modules]
        print(row.name, len(names), len(counts), sum(counts), flush=True)  # noqa: T201 (the test reads it)
        modules.clear()


if __name__ == "__main__":
    main()
