"""The package's own names: what editors and `dir` list, and that `import headmime` stays light."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import headmime
from headmime.animate import api

INIT = Path(headmime.__file__)


def test_the_public_names_are_listed_exist_and_are_known_to_type_checkers() -> None:
    assert dir(headmime) == sorted(headmime.__all__) == sorted(api.__all__)
    for name in headmime.__all__:
        assert callable(getattr(headmime, name))
    imports = [
        alias.name
        for node in ast.walk(ast.parse(INIT.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == api.__name__
        for alias in node.names
    ]
    assert imports == headmime.__all__
    assert (INIT.parent / "py.typed").is_file()


def test_the_callable_package_shows_the_function_s_signature() -> None:
    assert inspect.signature(headmime.animate) == inspect.signature(api.animate)


def test_importing_headmime_loads_neither_torch_nor_its_own_parts() -> None:
    program = "import sys, headmime; dir(headmime); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    loaded = done.stdout.split()
    assert [name for name in loaded if name.startswith("headmime.")] == ["headmime.threads"]
    assert not {"torch", "numpy", "cv2", "hydra"} & set(loaded)
