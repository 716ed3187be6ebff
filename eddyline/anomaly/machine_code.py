"""Kernels that were compiled ahead to LLVM code, made into machine code for this processor.

``kernels.ll.xz`` begins with a line of JSON: the digest of the sources that it was made from, the
arguments of each function, and the names that are never called. LLVM code for any 64-bit processor
follows. llvmlite makes it into machine code in a few seconds; the machine code is kept on disk for
later processes.

A function takes every array as a pointer and its shape, so arrays must be contiguous.
"""

from __future__ import annotations

import ctypes
import json
import lzma
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

SHIPPED = Path(__file__).with_name("kernels.ll.xz")
# Of what most arrays are, which is quicker to compare than the kind's text.
_DTYPES: dict[str, Any] = {np.dtype(k).str[1:]: np.dtype(k) for k in ("f8", "f4", "i8", "?")}
_SCALARS: dict[str, Any] = {"int": ctypes.c_int64, "float": ctypes.c_double}


@dataclass(frozen=True, slots=True)
class KernelArgument:
    """An argument, tuples taken apart. kind: int, float, or an array's dtype; ndim: 0 for a
    scalar."""

    kind: str
    ndim: int


def flat(arguments: tuple[Any, ...]) -> list[Any]:
    """Arguments with the members of tuples in place of the tuples."""
    out: list[Any] = []
    for one in arguments:
        if isinstance(one, tuple):
            out += flat(one)
        else:
            out.append(one)
    return out


def argument_of(value: Any) -> KernelArgument:
    """What kind of argument a value is."""
    if isinstance(value, np.ndarray):
        return KernelArgument(value.dtype.str[1:], value.ndim)
    return KernelArgument("float" if isinstance(value, float) else "int", 0)


class BoundArguments:
    """Arguments whose addresses were taken once, for arrays that many calls share.

    It keeps the arrays, and so their memory, alive.
    """

    __slots__ = ("_fits", "given", "kinds", "values")

    def __init__(self, *given: Any) -> None:
        self.given = flat(given)
        self.kinds = [argument_of(one) for one in self.given]
        self.values: list[Any] = []
        self._fits: Any = None
        for one, kind in zip(self.given, self.kinds, strict=True):
            _append(self.values, one, kind)

    def fit(self, arguments: list[KernelArgument], at: int) -> None:
        """Raises TypeError unless a function with these arguments takes them from ``at`` on."""
        if self._fits is arguments:
            return
        expected = arguments[at : at + len(self.kinds)]
        if self.kinds != expected:
            raise TypeError(f"{self.kinds} where {expected} was compiled for")
        self._fits = arguments


class MachineCode:
    """The shipped functions. They become machine code when the first of them is called."""

    def __init__(
        self,
        functions: dict[str, list[KernelArgument]],
        never: list[str],
        text: bytes,
        cache: Path,
    ) -> None:
        """never: names that the code refers to but never calls. cache: the folder where machine
        code is kept."""
        self._never = never
        self._functions = functions
        self._text = text
        self._cache = cache
        self._engine: Any = None

    def function(self, name: str) -> Callable[..., None]:
        """A callable over numpy arrays and numbers. It raises TypeError for arguments of other
        types or shapes than the function was compiled for."""
        arguments = self._functions[name]
        call: Any = None

        def run(*given: Any) -> None:
            nonlocal call
            if call is None:
                call = self._address(name, arguments)
            try:
                values = _values(given, arguments)
            except TypeError as error:
                raise TypeError(f"{name}: {error}") from None
            call(*values)

        return run

    def _address(self, name: str, arguments: list[KernelArgument]) -> Any:
        types: list[Any] = []
        for one in arguments:
            if one.ndim == 0:
                types.append(_SCALARS[one.kind])
            else:
                types += [ctypes.c_void_p, *[ctypes.c_int64] * one.ndim]
        if self._engine is None:
            self._engine = self._load()
        # A CFUNCTYPE call releases the interpreter lock.
        return ctypes.CFUNCTYPE(None, *types)(self._engine.get_function_address(f"kernel.{name}"))

    def _load(self) -> Any:
        """LLVM's engine with all functions; from the cache if this processor has been here."""
        from llvmlite import binding

        binding.initialize_native_target()
        binding.initialize_native_asmprinter()
        target = binding.Target.from_default_triple()
        cpu, features = binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()
        machine = target.create_target_machine(cpu=cpu, features=features, opt=2, jit=True)
        module = binding.parse_assembly(self._text.decode())
        module.triple = binding.get_process_triple()
        module.data_layout = str(machine.target_data)
        self._link(module, binding)
        engine = binding.create_mcjit_compiler(module, machine)
        kept = self._cache / f"{cpu}-{_short(features)}-{binding.llvm_version_info[0]}.o"
        engine.set_object_cache(lambda _, code: _keep(kept, code), lambda _: _kept(kept))
        engine.finalize_object()
        return engine

    def _link(self, module: Any, binding: Any) -> None:
        """Give LLVM the addresses of the C library's functions; it would take 0 for unknown ones.

        Raises:
            AttributeError: the C library of this machine lacks one.
        """
        library = ctypes.CDLL(None)
        for name in self._never:
            binding.add_symbol(name, _address(library.abort))
        for function in module.functions:
            name = function.name
            if function.is_declaration and not name.startswith(("llvm.", "never.")):
                binding.add_symbol(name, _address(getattr(library, name)))


def _values(given: tuple[Any, ...], arguments: list[KernelArgument]) -> list[Any]:
    """Arguments as machine code takes them. Raises TypeError for others than it takes."""
    values: list[Any] = []
    at = 0
    for one in given:
        if isinstance(one, BoundArguments):
            one.fit(arguments, at)
            values += one.values
            at += len(one.kinds)
            continue
        for leaf in flat(one) if isinstance(one, tuple) else (one,):
            _append(values, leaf, arguments[at])
            at += 1
    if at != len(arguments):
        raise TypeError(f"{len(arguments)} arguments are taken, not {at}")
    return values


def _append(values: list[Any], one: Any, expected: KernelArgument) -> None:
    """Append an argument as machine code takes it: an array as its address and its shape."""
    if expected.ndim == 0:
        values.append(one)
        return
    if one.ndim != expected.ndim or not one.flags.c_contiguous:
        raise TypeError(f"an array of shape {one.shape} is not as it was compiled for")
    if one.dtype is not _DTYPES.get(expected.kind) and one.dtype.str[1:] != expected.kind:
        raise TypeError(f"{one.dtype} where {expected.kind} was compiled for")
    # The same as ``one.ctypes.data``, in half the time.
    values.append(one.__array_interface__["data"][0])
    values += one.shape


def _address(function: Any) -> int:
    return ctypes.cast(function, ctypes.c_void_p).value or 0


def shipped(sources: str, cache: Path) -> MachineCode | None:
    """The shipped code; None if there is none that was made from these sources and can be read."""
    try:
        head, _, text = lzma.decompress(SHIPPED.read_bytes()).partition(b"\n")
        about = json.loads(head)
        if about["sources"] != sources:
            return None
        functions = {
            n: [KernelArgument(*a) for a in args] for n, args in about["functions"].items()
        }
        return MachineCode(functions, list(about["never"]), text, cache)
    except (OSError, ValueError, KeyError, lzma.LZMAError):
        return None


def _short(features: str) -> str:
    import hashlib

    return hashlib.sha256(features.encode()).hexdigest()[:8]


def _kept(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _keep(path: Path, code: bytes) -> None:
    """Write the whole file or nothing; without a place for it the next process compiles again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(code)
        os.replace(file.name, path)
    except OSError:
        return
