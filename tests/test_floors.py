"""The house's law: each floor imports only from its own or a lower one, in no circle, and nothing grows too large."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).parent.parent / "src" / "llmstream"
VOCABULARY: Final = {"errors", "prompt", "events", "record", "nearest", "version"}
FLOORS: Final[tuple[set[str], ...]] = (
    VOCABULARY,
    {"wire"},
    {"adapters"},
    {"engine"},
    {"transport"},
    {"local", "foreign"},
    {"tracing"},
    {"history"},
    {"runnable"},
    {"jobs", "measure"},
    {"config"},
    {"render"},
    {"cli"},
    {"__init__"},
    # the doors of the library, of LangChain and of adapters' tests
    {"langchain", "testing", "__main__"},
)
"""From the ground up; rooms of one floor don't import each other."""
HEIGHT: Final = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}
BELONGS: Final = {
    "ssl": {"transport", "cli/running/network_checks.py"},
    "socket": {"transport", "history", "cli"},
    "typer": {"cli"},
    "rich": {"render"},
    "pygments": {"render"},
    "platformdirs": {"config"},
    "xllamacpp": {"local"},
    "sqlite3": {"history"},
    "prompt_toolkit": {"cli/chat"},
    "ray": {"jobs/ray.py"},
    "yaml": {"transport/tape/cassettes.py"},
    "langchain_core": {"langchain", "foreign"},
}
"""Libraries, and the only rooms or files that import them."""
LINES, FUNCTION, ADAPTER = 300, 80, 200
"""The most lines of a file, of a function, and of a file in adapters/."""


@cache
def modules() -> dict[str, Path]:
    """Return every module's path by its dotted name below the package."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)] = path
    return found


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def imports_of(path: Path) -> Iterator[str]:
    """Yield the dotted names that a file imports, wherever in it."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path}: relative import"
            for alias in node.names:
                below = f"{node.module}.{alias.name}".removeprefix("llmstream.")
                yield f"llmstream.{below}" if below in modules() else node.module


def ours(path: Path) -> set[str]:
    """Return the modules of ours that a file imports, as keys of `modules`."""
    found = {name.removeprefix("llmstream.") for name in imports_of(path) if name.startswith("llmstream.")}
    return found | ({"__init__"} if "llmstream" in imports_of(path) else set())


def test_every_module_is_on_a_floor_and_imports_only_downwards() -> None:
    wrong = []
    for name, path in modules().items():
        room = name.split(".")[0]
        assert room in HEIGHT, f"{path}: {room} is on no floor"
        for imported in ours(path):
            there = imported.split(".")[0]
            assert there in HEIGHT, f"{path}: {there} is on no floor"
            lower = HEIGHT[there] < HEIGHT[room] or there == room or {there, room} <= VOCABULARY
            # the command's own entrance, `python -m llmstream`
            if not lower and room != "__main__":
                wrong.append(f"{name} imports {imported}")
    assert not wrong, "\n".join(wrong)


def test_no_files_import_each_other_in_a_circle() -> None:
    known = modules()
    arrows = {name: {other for other in ours(path) if other in known} for name, path in known.items()}
    # the public names are loaded when they are first used
    arrows["__init__"] = set()
    done: set[str] = set()

    def follow(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join([*above[above.index(name) :], name])
        if name not in done:
            for other in sorted(arrows[name] - {name}):
                follow(other, (*above, name))
            done.add(name)

    for name in known:
        follow(name, ())


def test_a_library_is_imported_in_its_own_room_only() -> None:
    for path in modules().values():
        place = str(path.relative_to(SOURCE))
        for name in imports_of(path):
            rooms = BELONGS.get(name.split(".")[0], {place})
            assert any(place == room or place.startswith(room + "/") for room in rooms), f"{place}: {name}"


def test_nothing_grows_too_large_and_only_cli_and_render_print() -> None:
    for name, path in modules().items():
        room = name.split(".")[0]
        lines = path.read_text("utf-8").count("\n")
        assert lines <= (ADAPTER if room == "adapters" else LINES), f"{path}: {lines} lines"
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                assert node.end_lineno - node.lineno < FUNCTION, f"{path}: {node.name}"
            printed = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
            assert room in ("cli", "render") or not printed, f"{path} prints"


def test_every_module_and_public_name_says_what_it_is() -> None:
    for path in modules().values():
        tree = tree_of(path)
        assert ast.get_docstring(tree), f"{path} has no docstring"
        classes = [n for n in ast.walk(tree) if isinstance(n, ast.ClassDef) and n.name[0] != "_"]
        for body in (tree.body, *(one.body for one in classes)):
            for node in body:
                if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                    said = node.name.startswith("_") or ast.get_docstring(node)
                    assert said, f"{path}: {node.name} has no docstring"
