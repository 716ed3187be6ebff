"""Compiles the kernels ahead of time to LLVM code for any processor: ``make kernels``.

numba compiles each entry for arguments as the detectors pass them, behind a function that takes
pointers and shapes; what that function does not need is removed. Writes ``kernels.ll.xz``, which
``machine_code.py`` reads. Runs where numba is told to compile for no particular processor.
"""

from __future__ import annotations

import json
import lzma
import os
from collections.abc import Callable
from typing import Any

# Before numba is imported.
os.environ |= {"EDDYLINE_COMPILE_KERNELS": "1", "NUMBA_CPU_NAME": "generic"}
os.environ["NUMBA_CPU_FEATURES"] = ""

import numba
import numpy as np
from llvmlite import binding
from numba.core import types

from eddyline.anomaly import compact, forest, kernel, verdicts
from eddyline.anomaly.detector import DetectorOptions, Detectors, ForestOptions
from eddyline.anomaly.machine_code import SHIPPED, argument_of, flat

_numba: Any = numba
ENTRIES = (
    (forest, "advance"), (verdicts, "judge_rows"),
    (compact, "free_chains"), (compact, "regrow"),
)  # fmt: skip
# numba's own would be found in its library. Views of contiguous arrays need this much only.
_RESHAPE = """
define i32 @numba_attempt_nocopy_reshape(i64 %nd, ptr %dims, ptr %strides, i64 %newnd,
    ptr %newdims, ptr %newstrides, i64 %itemsize, i32 %fortran) alwaysinline {
entry:
  br label %head
head:
  %i = phi i64 [ %newnd, %entry ], [ %j, %body ]
  %size = phi i64 [ %itemsize, %entry ], [ %next, %body ]
  %more = icmp sgt i64 %i, 0
  br i1 %more, label %body, label %done
body:
  %j = sub i64 %i, 1
  %place = getelementptr i64, ptr %newstrides, i64 %j
  store i64 %size, ptr %place
  %from = getelementptr i64, ptr %newdims, i64 %j
  %dim = load i64, ptr %from
  %next = mul i64 %size, %dim
  br label %head
done:
  ret i32 1
}
"""
# What libm and libc have in every process.
_LIBRARY = {
    "sqrt", "sqrtf", "erfc", "log2", "log10", "log1p", "expm1", "exp", "log", "pow", "exp2",
    "memset", "memcpy", "memmove", "floor", "ceil", "ldexp",
}  # fmt: skip


def main() -> None:
    """Compile and write."""
    calls = _recorded()
    module = binding.parse_assembly(_RESHAPE)
    functions = {}
    for (_, name), (function, arguments) in zip(ENTRIES, calls, strict=True):
        compiled = _wrapped(name, function, arguments)
        part = binding.parse_assembly(compiled._library.get_llvm_str())
        for one in part.functions:
            if one.is_declaration:
                continue
            if one.name == compiled.native_name:
                one.name = f"kernel.{name}"
            else:
                one.linkage = "internal"
        module.link_in(_swept(part))
        functions[name] = [(a.kind, a.ndim) for a in map(argument_of, flat(arguments))]
    module.get_function("numba_attempt_nocopy_reshape").linkage = "internal"
    module = _swept(module)
    never = _renamed(module)
    lines = str(module).splitlines()
    text = "\n".join(x for x in lines if not x.startswith(("target ", "source_filename", "; M")))
    about = {"sources": kernel.digest(), "functions": functions, "never": never}
    data = lzma.compress((json.dumps(about) + "\n" + text).encode(), preset=9)
    SHIPPED.write_bytes(data)
    print(f"{SHIPPED.name}: {len(text):,} characters in {len(data):,} bytes")  # noqa: T201
    print("never called:", *never)  # noqa: T201


def _renamed(module: Any) -> list[str]:
    """New names of functions from outside that report errors, which the kernels do not have."""
    never = []
    for one in module.functions:
        if one.is_declaration and not one.name.startswith("llvm.") and one.name not in _LIBRARY:
            one.name = f"never.{one.name}"
            never.append(one.name)
    return never


def _swept(module: Any) -> Any:
    """A module without what nothing refers to."""
    target = binding.Target.from_default_triple().create_target_machine(opt=2)
    builder = binding.create_pass_builder(target, binding.create_pipeline_tuning_options(2))
    passes = binding.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.add_strip_dead_prototype_pass()
    passes.run(module, builder)
    return module


def _recorded() -> list[tuple[Callable[..., Any], tuple[Any, ...]]]:
    """Each entry, with arguments as the detectors pass them."""
    calls: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
    for module, name in ENTRIES:
        function = getattr(module, name)
        recorded: list[tuple[Any, ...]] = []

        def record(*given: Any, into: list[tuple[Any, ...]] = recorded) -> None:
            into.append(given)

        setattr(module, name, record)
        options = DetectorOptions(ForestOptions(2, 10), false_alarms="1/10000 rows", timed=True)
        times = np.arange(3, dtype=np.int64)
        detectors = Detectors(options, 2)
        detectors.process(times * 0, np.zeros((3, 2)), times)
        Detectors.loads(detectors.dumps())
        setattr(module, name, function)
        calls.append((function, recorded[0]))
    return calls


def _wrapped(name: str, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """A C function over pointers, shapes and numbers that calls a kernel."""
    scope: dict[str, Any] = {"kernel": function, "carray": _numba.carray, "np": np}
    names: list[str] = []
    signature: list[Any] = []
    made: list[str] = []
    for i, value in enumerate(flat(arguments)):
        if not isinstance(value, np.ndarray):
            names.append(f"a{i}")
            signature.append(types.float64 if isinstance(value, float) else types.int64)
            continue
        shape = [f"a{i}_{j}" for j in range(value.ndim)]
        names += [f"p{i}", *shape]
        signature += [types.voidptr, *[types.int64] * value.ndim]
        dtype = value.dtype.name.replace("bool", "bool_")
        made.append(f"a{i} = carray(p{i}, ({', '.join(shape)},), np.{dtype})")
    numbers = iter(range(len(flat(arguments))))

    def built(value: Any) -> str:
        if not isinstance(value, tuple):
            return f"a{next(numbers)}"
        kind = type(value)
        scope[kind.__name__] = kind
        inner = "".join(built(v) + ", " for v in value)
        return f"{kind.__name__}({inner})" if kind is not tuple else f"({inner})"

    call = ", ".join(built(v) for v in arguments)
    body = "".join(f"    {line}\n" for line in [*made, f"kernel({call})"])
    exec(f"def wrapper({', '.join(names)}):\n{body}", scope)
    return _numba.cfunc(types.void(*signature), error_model="numpy")(scope["wrapper"])


if __name__ == "__main__":
    main()
