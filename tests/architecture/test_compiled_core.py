"""What is compiled is named by package, and each exception from it is there and has its reason."""

import ast
import importlib
import inspect
from enum import Enum

import backend
import compiled_core
import pytest

from tests.architecture.tree import ROOT, modules


@pytest.mark.parametrize("path", [*compiled_core.PACKAGES, *compiled_core.MODULES, *compiled_core.INTERPRETED])
def test_what_is_named_is_there(path: str) -> None:
    assert (ROOT / path).exists()


def test_an_exception_is_one_from_a_package() -> None:
    packages = tuple(f"{package}/" for package in compiled_core.PACKAGES)
    assert [path for path in compiled_core.INTERPRETED if not path.startswith(packages)] == []


def test_pure_packages_are_compiled_and_shells_are_not() -> None:
    core = compiled_core.core()
    assert {"protocols/serial/framing.py", "firmware_sim/device.py", "devicectl/simulation/heap.py"} < set(core)
    assert not [path for path in core if path.endswith(("__init__.py", "__main__.py", "cli.py"))]
    assert [path for path in core if "/serve/" in path] == ["firmware_sim/serve/real_time.py"]


def test_no_class_that_is_interpreted_has_a_base_that_is_compiled() -> None:
    """No object of such a class can be made, unless its base has one of Python itself."""
    core = {path.removesuffix(".py").replace("/", ".") for path in compiled_core.core()}
    found = [importlib.import_module(name) for name, _ in modules() if name not in core and "__main__" not in name]
    classes = {each for module in found for each in vars(module).values() if inspect.isclass(each)}
    assert len(classes) > 500
    assert [each for each in classes if each.__module__ not in core if _native_bases(each, core)] == []


def _native_bases(each: type, core: set[str]) -> list[type]:
    """Return the compiled classes of which a class is made, but for exceptions, enums, tuples and the like."""
    bases = [base for base in each.__mro__ if base.__module__ in core]
    return [base for base in bases if not issubclass(base, BaseException | Enum | tuple)]


@pytest.mark.parametrize("path", compiled_core.core())
def test_errors_of_two_classes_have_two_names(path: str) -> None:
    """Under one name the second is taken for one of the first class, and a TypeError is raised in its stead."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
        caught = [node for node in ast.walk(function) if isinstance(node, ast.ExceptHandler) and node.name]
        classes = {(node.name, ast.unparse(node.type)) for node in caught if node.type is not None}
        assert len(classes) == len({name for name, _ in classes}), function.name


@pytest.mark.parametrize("setting", [None, "", "0"])
def test_nothing_is_compiled_and_nothing_more_required_unless_asked_for(
    setting: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DEVICECTL_COMPILE", raising=False)
    if setting is not None:
        monkeypatch.setenv("DEVICECTL_COMPILE", setting)
    monkeypatch.setattr("sys.argv", ["setup.py", "bdist_wheel"])
    assert compiled_core.extensions() == []
    assert backend.get_requires_for_build_wheel() == []


def test_a_compiling_build_asks_for_the_pinned_compiler_and_the_types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVICECTL_COMPILE", "1")
    mypy, *rest = backend.get_requires_for_build_wheel()
    assert mypy.startswith("mypy==")
    assert any(line.startswith("pydantic") for line in rest)


def test_no_compiler_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVICECTL_COMPILE", "1")
    monkeypatch.setenv("CC", "no-such-compiler -O2")
    with pytest.raises(SystemExit) as ended:
        backend.get_requires_for_build_wheel()
    assert ended.value.code == (
        "DEVICECTL_COMPILE needs a C compiler, and there is no no-such-compiler: install one, or leave out "
        "DEVICECTL_COMPILE for the same program, slower, without a compiler"
    )


def test_no_header_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVICECTL_COMPILE", "1")
    monkeypatch.setattr("sysconfig.get_path", lambda name: "/nowhere")
    with pytest.raises(SystemExit, match=r"needs Python's headers, and there is no /nowhere/Python\.h"):
        backend.get_requires_for_build_wheel()


def test_an_editable_install_is_never_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEVICECTL_COMPILE", "1")
    with pytest.raises(SystemExit, match="an editable install runs the sources and cannot be compiled"):
        backend.build_editable("anywhere")
