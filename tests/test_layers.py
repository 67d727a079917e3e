"""Each layer of the package imports only what is below it, and Lightning by one name only."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "headmime"
LAYERS = [
    {"errors", "assets", "threads", "progress"},
    {"files", "images", "pixels", "precision"},
    {"provenance", "landmarks", "pretrained"},
    {"data", "nets"},
    {"sitters", "losses"},
    {"learning"},
    {"animate"},
    {"evaluation", "protection"},
    {"benchmark"},
    {"studies"},
    {"live", "web"},
    {"cli"},
]
# The public names, `headmime.load` and its siblings, are `animate` by another way.
PUBLIC = "__init__"
FILES = sorted(PACKAGE.rglob("*.py"))


def module_name(file: Path) -> str:
    return ".".join(("headmime", *file.relative_to(PACKAGE).with_suffix("").parts))


def imports(file: Path) -> Iterator[str]:
    """Every module that a file imports, also inside of functions, by its full name."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 or PACKAGE not in file.parents, f"{file} has a relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part(module: str) -> str:
    """The part of headmime that a module belongs to: `nets` for headmime.nets.blocks."""
    return [*module.split("."), PUBLIC][1]


def layer(name: str) -> int:
    (level,) = [level for level, names in enumerate(LAYERS) if name in names]
    return level


def test_the_whole_package_is_looked_at():
    parts = {part(module_name(file)) for file in FILES}
    assert parts == {PUBLIC}.union(*LAYERS)


@pytest.mark.parametrize("file", FILES, ids=module_name)
def test_a_layer_imports_only_what_is_below_it(file: Path):
    own = part(module_name(file))
    if own == PUBLIC:
        return
    used = {part(name) for name in imports(file) if name.split(".")[0] == "headmime"}
    above = {name for name in used - {own, PUBLIC} if layer(name) >= layer(own)}
    assert not above


def test_no_file_imports_itself_by_way_of_others():
    names = {module_name(file).removesuffix(".__init__"): file for file in FILES}
    unseen = {
        name: {one for one in imports(file) if one in names} - {name}
        for name, file in names.items()
    }
    for package in [name for name, file in names.items() if file.name == "__init__.py"]:
        # `from package import module` names both; only the module counts.
        for used in unseen.values():
            if any(one.startswith(f"{package}.") for one in used):
                used.discard(package)
    while leaves := [name for name, used in unseen.items() if not used & set(unseen)]:
        for name in leaves:
            del unseen[name]
    assert not unseen, f"a circle, or what imports one, is among {sorted(unseen)}"


def test_losses_nets_and_evaluation_know_no_configuration():
    parts = {"losses", "nets", "evaluation"}
    files = [file for file in FILES if part(module_name(file)) in parts]
    assert {part(module_name(file)) for file in files} == parts
    for file in files:
        assert not {"hydra", "omegaconf"} & {name.split(".")[0] for name in imports(file)}


def test_evaluation_knows_no_model():
    files = [file for file in FILES if part(module_name(file)) == "evaluation"]
    models = ("headmime.nets", "headmime.learning.meta", "headmime.learning.finetune")
    for file in files:
        assert not [n for n in imports(file) if n.startswith((*models, "headmime.animate.person"))]


def test_lightning_is_imported_as_pytorch_lightning():
    for file in [*FILES, *(ROOT / "tests").rglob("*.py")]:
        assert "lightning" not in {name.split(".")[0] for name in imports(file)}, file
