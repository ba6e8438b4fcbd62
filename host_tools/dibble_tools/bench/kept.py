"""The heap that a loaded model keeps beside its file, on a VM of 32-bit words as a board's, and on the 64-bit one.

A collection of the 32-bit VM doesn't look for what only its C stack holds: so all is in a module's globals, and the
module whose import runs it never ends, as the code of whoever imported it is gone by then.
"""

from dibble_tools.bench.cases import Case
from dibble_tools.machines.replay import WASI_HEAP, WASI_MEMORY, laid_out
from dibble_tools.machines.vms import run_unix, run_wasi

INSIDE = """
import gc
from dibble.inference import load
try:
    import model_code as code
except ImportError:
    code = None
path = __file__[: __file__.rfind("/") + 1] + "model.dib"
def run():
    global other, node, before, kept, passed
    other = load(path, code)  # what is imported on the way isn't of the model
    gc.collect()
    before = gc.mem_alloc()
    node = load(path, code)
    gc.collect()
    kept = gc.mem_alloc() - before
    passed = node.self_test()  # nothing that it needs was freed
    print(kept, passed)
    raise SystemExit
run()
"""


def heap_kept(case: Case, *, viper: bool = False, code: bool = False, words: int = 32) -> int:
    """Return bytes that the model keeps; AssertionError where its self-test fails afterwards.

    Args:
        viper: by machine code, which needs the VM of 64-bit words.
        words: bits of the VM's words.
    """
    with laid_out(case.model, case.rows, None, viper=viper, code=code) as folder:
        (folder / "inside.py").write_text(INSIDE)
        (folder / "kept.py").write_text("import inside\n")
        if words == 64:
            run = run_unix(folder, "kept.py")
        else:
            run = run_wasi(folder, "kept.py", heap=WASI_HEAP, memory_bytes=WASI_MEMORY)
    kept, passed = map(int, run.stdout.split())
    assert passed == len(case.model.content.golden)
    return kept - len(case.model.blob)
