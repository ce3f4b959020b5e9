"""Kernels are sized by the registers that Numba generates code for, whatever processor this is."""

import pytest
from llvmlite import binding

from fastconv.backends.numba.registers import registers


@pytest.mark.parametrize(
    ("triple", "cpu", "features", "expected"),
    [
        ("x86_64-unknown-linux-gnu", "x86-64", "", (16, 16)),
        ("x86_64-unknown-linux-gnu", "x86-64-v3", "", (32, 16)),
        ("x86_64-unknown-linux-gnu", "haswell", "", (32, 16)),
        ("x86_64-unknown-linux-gnu", "x86-64", "+avx2,+fma", (32, 16)),
        ("x86_64-unknown-linux-gnu", "x86-64-v4", "", (64, 32)),
        ("x86_64-unknown-linux-gnu", "skylake-avx512", "", (64, 32)),
        ("x86_64-pc-windows-msvc", "znver4", "-avx512f", (32, 16)),
        ("aarch64-unknown-linux-gnu", "neoverse-n1", "", (16, 32)),
        ("arm64-apple-darwin", "apple-m1", "", (16, 32)),
        ("powerpc64le-unknown-linux-gnu", "pwr9", "", (16, 16)),  # it has more; what is not known is little
    ],
)
def test_registers_are_those_that_code_is_generated_for(triple, cpu, features, expected):
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()

    assert registers(triple, cpu, features) == expected
