"""A room imports only from the rooms above it; heavy libraries live where the map says."""

import ast
from pathlib import Path

import pytest

import rlsoftmax

PACKAGE = Path(rlsoftmax.__file__).parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if not {"configs", "experiments"} & set(path.parts))

# The rooms from top to bottom; those on one line do not import each other.
ROOMS = [
    {"errors"},
    {"numeric", "places", "words"},
    {"canonical"},
    {"component"},
    {"core"},
    {"contracts"},
    {"engine"},
    {"schedules", "policies", "agents", "envs"},
    {"shelf"},
    {"store"},
    {"experiment"},
    {"stats"},
    {"frames"},
    {"plots"},
    {"report"},
    {"launch"},
    {"study"},
    {"api"},
    {"answers"},
    {"cli", "__main__"},
]
LEVEL = {name: level for level, names in enumerate(ROOMS) for name in names}
DOORS = {"launch", "api", "answers", "cli", "__main__"}  # ways in; they may open each other
SHELVES = {"schedules", "policies", "agents", "envs"}


def room_of(path):
    """Return the room a file belongs to: its folder, or its own name."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def module_of(path):
    """Return the dotted name of a file."""
    return ".".join(("rlsoftmax", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


def imports(path):
    """Return (module, line) of every import of a file, also of those inside functions; relative ones are refused."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            names = [f"{node.module}.{alias.name}" for alias in node.names] if node.module == "rlsoftmax" else []
            found += [(name, node.lineno) for name in names or [node.module]]
        elif is_import_module(node):
            found += [(node.args[0].value, node.lineno)]
    return found


def is_import_module(node):
    """Whether this is importlib.import_module("name")."""
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "import_module"
    return called and isinstance(node.args[0], ast.Constant)


EACH = pytest.mark.parametrize("path", MODULES, ids=module_of)


def test_the_map_names_every_room():
    rooms = {room_of(path) for path in MODULES} - {"__init__"}
    assert rooms <= set(LEVEL)


@EACH
def test_a_room_imports_only_from_above(path):
    room = room_of(path)
    for module, line in imports(path):
        package, _, rest = module.partition(".")
        if package != "rlsoftmax" or room == "__init__":
            continue
        other = rest.partition(".")[0] or "__init__"
        if other in LEVEL and other != room and not {room, other} <= DOORS:
            assert LEVEL[other] < LEVEL[room], f"{path}:{line}: {room} imports {module}"


@EACH
def test_nobody_imports_a_shelf(path):
    if room_of(path) in SHELVES:
        return
    wrong = [
        (module, line) for module, line in imports(path) if module.split(".")[1:2] and module.split(".")[1] in SHELVES
    ]
    assert [entry for entry in wrong if entry[0].startswith("rlsoftmax.")] == []


ALLOWED = {
    "hydra": lambda module: module.startswith(("rlsoftmax.launch", "rlsoftmax.experiment.compose")),
    "gymnasium": lambda module: module.startswith("rlsoftmax.envs") or module == "rlsoftmax.engine.stepped",
    "numba": lambda module: module.startswith("rlsoftmax.engine") and module not in NO_NUMBA,
    "matplotlib": lambda module: module.startswith(("rlsoftmax.plots", "rlsoftmax.report", "rlsoftmax.study")),
    "rich": lambda module: module.startswith(("rlsoftmax.cli", "rlsoftmax.launch", "rlsoftmax.plots.table")),
    "pandas": lambda module: module.startswith("rlsoftmax.frames"),
    "xarray": lambda module: module.startswith("rlsoftmax.frames"),
    "pyarrow": lambda module: module.startswith("rlsoftmax.frames"),
    "jinja2": lambda module: module.startswith("rlsoftmax.report"),
}
NO_NUMBA = {"rlsoftmax.engine", "rlsoftmax.engine.stages"}


@EACH
def test_a_heavy_library_is_imported_where_the_map_says(path):
    module = module_of(path)
    for name, line in imports(path):
        library = name.partition(".")[0]
        if library in ALLOWED:
            assert ALLOWED[library](module), f"{path}:{line}: {module} imports {name}"


def test_the_package_of_the_engine_imports_nothing():
    assert imports(PACKAGE / "engine" / "__init__.py") == []


def test_a_policy_file_does_not_load_the_compiler():
    """What a policy reaches at import: contracts, numeric, stages and what these import."""
    seen, waiting = set(), ["rlsoftmax.engine.stages", "rlsoftmax.contracts", "rlsoftmax.numeric"]
    while waiting:
        module = waiting.pop()
        path = PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")
        if module in seen or not path.exists():
            continue
        seen.add(module)
        waiting += [name for name, _ in imports(path) if name.startswith("rlsoftmax.")]
        assert "numba" not in {name.partition(".")[0] for name, _ in imports(path)}, module


@EACH
def test_only_the_command_line_prints(path):
    if room_of(path) == "cli":
        return
    calls = (node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call))
    assert [node.lineno for node in calls if isinstance(node.func, ast.Name) and node.func.id == "print"] == []


@EACH
def test_every_module_says_what_it_is(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not tree.body or ast.get_docstring(tree), f"{path} has no docstring"


def test_a_wrong_import_would_be_found(tmp_path):
    """The test can fail: imports inside functions and through importlib are seen."""
    file = tmp_path / "wrong.py"
    file.write_text(
        "def f():\n    from rlsoftmax.engine import loop\n    import numba.core\n"
        "    importlib.import_module('hydra')\nfrom rlsoftmax import api\n"
    )
    assert {name for name, _ in imports(file)} == {"rlsoftmax.engine", "numba.core", "hydra", "rlsoftmax.api"}
