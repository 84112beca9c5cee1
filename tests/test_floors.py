"""The house's law: each floor imports only from its own or a lower one, and nothing grows too large."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "llmstream"
FLOORS = ["", "wire", "adapters", "engine", "transport", "runnable", "config", "render", "cli"]
"""From the ground up; the first is the vocabulary, the modules of the package itself."""
ENTRANCES = {
    "__init__.py",
    "__main__.py",
    "langchain.py",
    "langchain_messages.py",
    "testing.py",
    "testing_answers.py",
}
"""The doors of the library, the command, LangChain and adapters' tests: they may reach any floor."""
ALLOWED = {
    "httpx": {"transport"},
    "typer": {"cli"},
    "rich": {"render"},
    "platformdirs": {"config"},
    "xllamacpp": {"transport"},
}
"""Libraries that belong to one floor."""
FILES = sorted(SOURCE.rglob("*.py"))


def floor_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0] if path.parent != SOURCE else ""


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_a_floor_imports_only_from_its_own_or_a_lower_one(path: Path) -> None:
    if path.parent == SOURCE and path.name in ENTRANCES:
        return
    own = FLOORS.index(floor_of(path))
    for name in imports_of(path):
        parts = name.split(".")
        if parts[0] == "llmstream":
            floor = parts[1] if len(parts) > 1 and parts[1] in FLOORS else ""
            assert FLOORS.index(floor) <= own, f"{path} reaches up to {name}"
        elif parts[0] in ALLOWED:
            assert floor_of(path) in ALLOWED[parts[0]], f"{path} imports {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < 80, f"{path}: {node.name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_only_cli_and_render_print(path: Path) -> None:
    if floor_of(path) in ("cli", "render"):
        return
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        called = node.func if isinstance(node, ast.Call) else None
        assert not (isinstance(called, ast.Name) and called.id == "print"), path


@pytest.mark.parametrize("path", sorted((SOURCE / "adapters").glob("*.py")), ids=lambda p: p.name)
def test_an_adapter_file_stays_under_200_lines(path: Path) -> None:
    assert path.read_text("utf-8").count("\n") < 200


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SOURCE)))
def test_every_module_and_public_name_says_what_it_is(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree), f"{path} has no docstring"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            inner = not any(node in getattr(parent, "body", []) for parent in _places(tree))
            if not node.name.startswith("_") and not inner:
                assert ast.get_docstring(node), f"{path}: {node.name} has no docstring"


def _places(tree: ast.Module) -> list[ast.AST]:
    classes = [n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and not n.name.startswith("_")]
    return [tree, *classes]
