"""LLVM: optimise a module, keep its machine code on disk, load it, and give the addresses of its functions.

The cache is keyed by the text of the unoptimised module, the processor and the LLVM version, so a kernel is compiled
again exactly when something that it is made of has changed. Each file begins with a hash of the rest; one that does
not fit is made anew.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import threading
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

import llvmlite
import llvmlite.binding as llvm
from llvmlite import ir

from nodegraph.core.errors import KernelError
from nodegraph.core.folders import cache_root

_lock = threading.RLock()
_MASKS: Final = ",-avx512dq,-avx512bw"
_BEYOND: Final = re.compile(r"^\s+vp?movmsk\w+\s+%[xyz]mm(?:1[6-9]|[23]\d)\b", re.MULTILINE)
"""Instructions that reach the registers 0 to 15. With AVX-512, LLVM 22 makes them of others that reach 0 to 31, and
keeps the register: another one is read (its issue 191304). What they are made of is not there without `_MASKS`.
"""
_ENCODED: Final = re.compile(rb"(?:\xc5.|\xc4..)[\x50\xd7]", re.DOTALL)
"""How machine code with such an instruction looks; other code may look so, too."""
_DEFINE = re.compile(r"^(define .*\)(?: alwaysinline)?)$", re.MULTILINE)


def cache_folder() -> Path:
    """Where machine code is kept: ``$NODEGRAPH_CACHE``, else the platform's cache folder."""
    return cache_root() / "kernels"


def keep(name: str, content: bytes) -> None:
    """Put a file into the cache. One that cannot be written costs time at the next start, nothing else."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.replace(temporary, folder / name)
        except OSError:
            os.unlink(temporary)
    except OSError:
        pass


class Jit:
    """One LLVM target and one place in memory for everything that is loaded."""

    def __init__(self) -> None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        self.triple: str = llvm.get_process_triple()
        self.cpu: str = llvm.get_host_cpu_name()
        # LLVM prefers 256-bit registers on several AVX-512 processors; sixteen float lanes fill a 512-bit one
        self.features: str = llvm.get_host_cpu_features().flatten() + ",-prefer-256-bit"
        have = dict(llvm.get_host_cpu_features())
        self.fused: bool = bool(have.get("fma") or "aarch64" in self.triple or "arm64" in self.triple)
        target = llvm.Target.from_triple(self.triple)
        self.target = target.create_target_machine(cpu=self.cpu, features=self.features, opt=3, jit=True)
        self.targets = [self.target]
        if have.get("avx512vl"):
            features = self.features + _MASKS
            self.targets.append(target.create_target_machine(cpu=self.cpu, features=features, opt=3, jit=True))
        self.engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), self.target)
        self.compiled = 0
        self._loaded: dict[str, dict[str, int]] = {}
        self.keys: dict[int, str] = {}
        self._objects: list[llvm.ObjectFileRef] = []

    def key(self, text: str) -> str:
        """The name under which this module's machine code is kept."""
        parts = (text, self.triple, self.cpu, self.features, llvmlite.__version__, "3")
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]

    def load(self, module: ir.Module, names: tuple[str, ...]) -> dict[str, int]:
        """Compile (or take from disk) and load; gives the address of each named function.

        Functions are renamed to carry the key, so that many modules live side by side.
        """
        text = str(module)
        key = self.key(text)
        with _lock:
            if key not in self._loaded:
                self._take(key, self._from_disk(key) or self._compile(text, key, names), names)
            return self._loaded[key]

    def load_kept(self, key: str, names: tuple[str, ...]) -> dict[str, int] | None:
        """What is kept under a key; None when it is not there any more."""
        with _lock:
            if key not in self._loaded:
                code = self._from_disk(key)
                if code is None:
                    return None
                self._take(key, code, names)
            return self._loaded[key]

    def _take(self, key: str, code: bytes, names: tuple[str, ...]) -> None:
        """Load machine code, and note where its functions are."""
        self._add(code)
        found = {name: int(self.engine.get_function_address(f"{name}_{key}")) for name in names}
        missing = [name for name, address in found.items() if not address]
        if missing:
            raise KernelError(f"the compiler lost {', '.join(missing)}.", "Delete the kernel cache and report this.")
        self._loaded[key] = found
        self.keys.update(dict.fromkeys(found.values(), key))

    def _add(self, code: bytes) -> None:
        reference = llvm.ObjectFileRef.from_data(code)
        self._objects.append(reference)
        self.engine.add_object_file(reference)
        self.engine.finalize_object()

    def _from_disk(self, key: str) -> bytes | None:
        try:
            kept = (cache_folder() / f"{key}.kernel").read_bytes()
        except OSError:
            return None
        # LLVM trusts an object file blindly: a damaged one would crash here, or later on the audio thread
        return kept[32:] if hashlib.sha256(kept[32:]).digest() == kept[:32] else None

    def optimised(self, text: str, key: str = "", names: tuple[str, ...] = ()) -> llvm.ModuleRef:
        """The module after LLVM's passes; fast-math is never on."""
        for name in names:
            text = text.replace(f'@"{name}"', f'@"{name}_{key}"')
        # a loop that copies or clears stays a loop, instead of becoming a call of the C library
        text = _DEFINE.sub(r'\1 "no-builtins"', text)
        module = llvm.parse_assembly(text)
        module.triple = self.triple
        module.data_layout = str(self.target.target_data)
        module.verify()
        options = llvm.create_pipeline_tuning_options(speed_level=3)
        options.loop_vectorization = True
        options.slp_vectorization = True
        builder = llvm.create_pass_builder(self.target, options)
        builder.getModulePassManager().run(module, builder)
        return module

    def emitted(self, text: str, key: str = "", names: tuple[str, ...] = ()) -> tuple[bytes, Callable[[], str]]:
        """Machine code of a module that does what the module says; the function gives it as text. Raises KernelError
        when there is none."""
        made = str(self.optimised(text, key, names))
        for target in self.targets:
            code = bytes(target.emit_object(llvm.parse_assembly(made)))
            as_text = partial(_as_text, target, made)
            if len(self.targets) == 1 or not _ENCODED.search(code) or not _BEYOND.search(as_text()):
                return code, as_text
        raise KernelError("the compiler reads a register that an instruction does not reach.", "Please report this.")

    def _compile(self, text: str, key: str, names: tuple[str, ...]) -> bytes:
        code, _ = self.emitted(text, key, names)
        self.compiled += 1
        keep(f"{key}.kernel", hashlib.sha256(code).digest() + code)
        return code


def _as_text(target: llvm.TargetMachine, made: str) -> str:
    return str(target.emit_assembly(llvm.parse_assembly(made)))


@lru_cache(maxsize=1)
def jit() -> Jit:
    """The process's compiler."""
    return Jit()
