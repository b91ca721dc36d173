"""ModuleRegistry alone: names, files, status and dependencies; also from many threads at once."""

from __future__ import annotations

import os
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyautoload import ModuleRegistry


def test_a_registered_name_is_known_with_its_file(tmp_path):
    registry = ModuleRegistry()
    entry = registry.register("app.models.user", tmp_path / "user.py")

    assert registry.contains("app.models.user")
    assert "app.models.user" in registry
    assert registry.get_path("app.models.user") == str(tmp_path / "user.py")
    assert registry.get("app.models.user") == entry
    assert entry.name == "app.models.user"
    assert not entry.is_namespace


def test_an_unknown_name_is_not_there():
    registry = ModuleRegistry()

    assert "app.user" not in registry
    assert registry.get("app.user") is None
    assert registry.get_path("app.user") is None
    assert registry.entries("app") == []
    assert registry.loaded_status("app.user") is None
    assert len(registry) == 0


def test_the_first_file_of_a_name_stays():
    registry = ModuleRegistry()
    registry.register("app.user", "/one/user.py")

    assert registry.register("app.user", "/two/user.py").path == "/one/user.py"
    assert len(registry) == 1


def test_a_namespace_has_directories():
    registry = ModuleRegistry()
    entry = registry.register("app.hotel", "/app/hotel.py", directories=["/app/hotel"])
    registry.register("app.hotel.pricing", "/app/hotel/pricing.py")

    assert entry.is_namespace
    assert entry.path == "/app/hotel.py"
    assert entry.directories == ("/app/hotel",)
    assert [entry.name for entry in registry.entries("app.hotel")] == ["app.hotel.pricing"]


def test_the_entries_of_a_namespace_are_sorted():
    registry = ModuleRegistry()
    for name in ("app.user", "app.admin", "app.zoo", "app.admin.role", "lonely"):
        registry.register(name, f"/{name}.py")

    assert [entry.name for entry in registry.entries("app")] == ["app.admin", "app.user", "app.zoo"]
    assert [entry.name for entry in registry.entries("app.admin")] == ["app.admin.role"]
    assert [entry.name for entry in registry.entries()] == ["lonely"]
    assert len(registry) == 5


def test_an_unregistered_name_is_gone_with_all_below():
    registry = ModuleRegistry()
    registry.register("app", "/app", directories=["/app"])
    registry.register("app.hotel", "/app/hotel.py", directories=["/app/hotel"])
    registry.register("app.hotel.pricing", "/app/hotel/pricing.py")
    registry.register("app.hotels", "/app/hotels.py")
    registry.unregister("app.hotel")
    registry.unregister("app.never")

    assert "app.hotel" not in registry
    assert "app.hotel.pricing" not in registry
    assert "app.hotels" in registry


def test_invalidating_a_namespace_forgets_what_lies_in_it():
    registry = ModuleRegistry()
    registry.register("app.admin.role", "/app/admin/role.py")
    registry.register("app.admins.x", "/app/admins/x.py")
    registry.mark_loaded("app.admin.role", "/app/admin/role.py", 5)
    registry.invalidate("app.admin")

    assert "app.admin.role" not in registry
    assert "app.admins.x" in registry
    assert registry.is_loaded("app.admin.role")


def test_invalidating_everything():
    registry = ModuleRegistry()
    registry.register("app.user", "/user.py")
    registry.invalidate()

    assert len(registry) == 0


def test_loaded_modules_are_noted_in_order_with_their_mtime(tmp_path):
    file = tmp_path / "user.py"
    file.write_text("")
    registry = ModuleRegistry()
    registry.register("app.user", file)
    registry.mark_loaded("app.zoo", "/nowhere/zoo.py")
    registry.mark_loaded("app.user")
    registry.mark_loaded("app.admin", "/app/admin.py", mtime_ns=7)

    assert registry.loaded() == ["app.zoo", "app.user", "app.admin"]
    assert registry.loaded_status("app.user") == (str(file), os.stat(file).st_mtime_ns)
    assert registry.loaded_status("app.admin").mtime_ns == 7
    assert registry.loaded_status("app.zoo").mtime_ns == 0


def test_an_unloaded_module_is_noted_no_more():
    registry = ModuleRegistry()
    registry.mark_loaded("app.user", "/user.py", 1)
    registry.mark_unloaded("app.user")
    registry.mark_unloaded("app.user")

    assert not registry.is_loaded("app.user")
    assert registry.loaded() == []


def test_dependencies_and_dependents():
    registry = ModuleRegistry()
    registry.add_dependency("app.a", "app.b")
    registry.add_dependency("app.a", "app.c")
    registry.add_dependency("app.b", "app.d")
    registry.add_dependency("app.a", "app.b")

    assert registry.get_dependencies("app.a") == ["app.b", "app.c"]
    assert registry.get_dependents("app.b") == ["app.a"]
    assert registry.get_dependencies("app.a", transitive=True) == ["app.b", "app.c", "app.d"]
    assert registry.get_dependents("app.d", transitive=True) == ["app.a", "app.b"]
    assert registry.get_dependents("app.nobody") == []


def test_dependencies_in_a_circle_end():
    registry = ModuleRegistry()
    for name, dependency in (("a", "b"), ("b", "c"), ("c", "a"), ("a", "a")):
        registry.add_dependency(name, dependency)

    assert registry.get_dependencies("a", transitive=True) == ["b", "c"]
    assert registry.get_dependents("a") == ["c"]


def test_cleared_dependencies_are_gone_on_both_sides():
    registry = ModuleRegistry()
    registry.add_dependency("a", "b")
    registry.add_dependency("c", "b")
    registry.clear_dependencies("a")
    registry.clear_dependencies("a")

    assert registry.get_dependencies("a") == []
    assert registry.get_dependents("b") == ["c"]


names = st.lists(st.sampled_from("abcd"), min_size=1, max_size=3).map(".".join)


@given(st.lists(st.tuples(st.booleans(), names), max_size=25))
def test_it_agrees_with_a_dictionary(steps):
    registry, model = ModuleRegistry(), {}
    for add, name in steps:
        if add:
            registry.register(name, f"/{name}.py")
            model.setdefault(name, f"/{name}.py")
        else:
            registry.unregister(name)
            model = {known: path for known, path in model.items() if known != name and not known.startswith(name + ".")}
        assert {known: registry.get_path(known) for known in model} == model
        assert len(registry) == len(model)
        for parent in {"", *(known.rpartition(".")[0] for known in model)}:
            children = sorted(known for known in model if known.rpartition(".")[0] == parent)
            assert [entry.name for entry in registry.entries(parent)] == children


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), max_size=20))
def test_dependencies_agree_with_a_set_of_pairs(pairs):
    registry = ModuleRegistry()
    for name, dependency in pairs:
        registry.add_dependency(name, dependency)
    reachable = set(pairs)
    while True:
        more = {(a, d) for a, b in reachable for c, d in reachable if b == c} - reachable
        if not more:
            break
        reachable |= more

    for name in "abcdef":
        assert registry.get_dependencies(name, transitive=True) == sorted(
            {b for a, b in reachable if a == name} - {name}
        )
        assert registry.get_dependents(name, transitive=True) == sorted({a for a, b in reachable if b == name} - {name})


def run_together(workers):
    errors: list[BaseException] = []
    barrier = threading.Barrier(len(workers))

    def guarded(work):
        barrier.wait()
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert errors == []


def test_many_threads_register_list_mark_and_invalidate():
    registry = ModuleRegistry()

    def writer(which):
        def work():
            for index in range(300):
                name = f"app.p{which}.m{index}"
                registry.register(name, f"/{name}.py")
                registry.mark_loaded(name, f"/{name}.py", 1)
                registry.add_dependency(name, f"app.p{(which + 1) % 4}.m{index}")

        return work

    def reader():
        for _ in range(150):
            len(registry)
            registry.loaded()
            registry.entries("app.p1")
            [space.name for space in registry.namespaces()]
            registry.get_dependents("app.p2.m1", transitive=True)
            registry.invalidate("app.other")

    run_together([writer(which) for which in range(4)] + [reader] * 4)
    assert len(registry.loaded()) == 1200
    assert len(registry) == 1200
    assert registry.get_dependencies("app.p3.m7") == ["app.p0.m7"]


def test_one_of_many_threads_wins_a_name():
    registry = ModuleRegistry()
    entries = []

    def register(which):
        return lambda: entries.append(registry.register("app.user", f"/{which}.py"))

    run_together([register(which) for which in range(16)])
    assert len({entry.path for entry in entries}) == 1


@pytest.mark.parametrize("method", ["mark_unloaded", "unregister", "clear_dependencies", "invalidate"])
def test_what_is_not_there_can_be_removed(method):
    getattr(ModuleRegistry(), method)("app.nobody")
