"""The vector registers of the processor that Numba compiles for: how wide they are, and how many.

LLVM knows every processor, and Numba may have been told of another than this one (``NUMBA_CPU_NAME`` and
``NUMBA_CPU_FEATURES``). So LLVM is asked: it is given a long vector to add, and shows what it adds it in.
"""

from llvmlite import binding
from numba.core.registry import cpu_target

ADD = """
define <16 x float> @add(<16 x float> %x, <16 x float> %y) {
  %z = fadd <16 x float> %x, %y
  ret <16 x float> %z
}
"""

# How registers are written in assembly: bytes of each, and how many there are. The widest come first.
KINDS = {"%zmm": (64, 32), "%ymm": (32, 16), "%xmm": (16, 16), ".4s": (16, 32)}  # x86 has 3, and ARM 1
OTHER = 16, 16  # right wherever LLVM is: it makes do with what there is


def registers(triple: str, cpu: str, features: str) -> tuple[int, int]:
    """Return the bytes of the widest vector registers of a processor, and how many it has."""
    machine = binding.Target.from_triple(triple).create_target_machine(cpu, features)
    assembly = machine.emit_assembly(binding.parse_assembly(ADD))
    return next((found for name, found in KINDS.items() if name in assembly), OTHER)


TRIPLE, *_ = TARGET = cpu_target.target_context.codegen().magic_tuple()
BYTES, REGISTERS = registers(*TARGET)
