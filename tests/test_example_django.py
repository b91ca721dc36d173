"""The Django example: served by ``pyautoload serve``, edited, and looked at over HTTP."""

from __future__ import annotations

import os
import shutil
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import copied, ran
from served import Served, served

pytest.importorskip("django", reason="Django is not installed")
pytest.importorskip("werkzeug", reason="werkzeug is not installed")
pytest.importorskip("click", reason="the command line needs click")

# Servers are started and files are edited, and waited for on machines that do much else.
pytestmark = pytest.mark.timeout(300)

ADMIN = """
from django.contrib import admin

from library.models import Book


@admin.register(Book)
class BookAdmin(admin.ModelAdmin):
    list_display = ["title"]
"""
EXTRAS = """
from django.template import Library

register = Library()


@register.filter
def loud(text):
    return str(text).upper()
"""


def manage(directory: Path, *arguments: str) -> str:
    return ran(directory, "manage.py", *arguments).stdout


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with an empty database, to be copied."""
    directory = copied("django_app", tmp_path_factory.mktemp("django"))
    manage(directory, "migrate", "--verbosity", "0")
    return directory


@pytest.fixture
def project(migrated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(migrated, tmp_path / migrated.name))


@pytest.fixture
def site(project: Path) -> Iterator[Served]:
    with served(project, "config.wsgi:application") as running:
        add(running, "Ann", "Trees")
        yield running


def add(site: Served, author: str, title: str) -> None:
    token = site.cookie("/", "csrftoken")
    form = urllib.parse.urlencode({"csrfmiddlewaretoken": token, "author": author, "title": title})
    assert site.get("/add", form, Cookie=f"csrftoken={token}").status == 200


def test_the_commands_of_manage_work(project: Path) -> None:
    assert "no issues" in manage(project, "check")
    assert "No changes detected" in manage(project, "makemigrations", "--check", "--dry-run")
    names = "from django.apps import apps; print(*sorted(model.__name__ for model in apps.get_models()))"
    assert manage(project, "shell", "-c", names).splitlines()[-1] == "Author Book"


def test_views_methods_of_models_and_templates_are_live(site: Served) -> None:
    assert "Ann: Trees" in site.get("/").text
    site.edit("library/models/book.py", "{self.author}: {self.title}", "{self.title} ({self.author})")
    site.shows("Trees (Ann)")
    site.edit(
        "library/models/book.py", "    def label", "    def year(self) -> int:\n        return 1999\n\n    def label"
    )
    site.edit("library/templates/library/index.html", "{{ book.label }}", "{{ book.label }}, {{ book.year }}")
    site.shows("Trees (Ann), 1999")
    site.edit("library/views/books.py", '"heading": "Books"', '"heading": "All books"')
    site.shows("<h1>All books</h1>")
    assert site.started == 2, "the model was defined anew, once"


def test_addresses_are_live(site: Served) -> None:
    site.edit("library/urls.py", '    path("add"', '    path("all", books.index),\n    path("add"')
    site.shows("Ann: Trees", "/all")
    site.edit("library/urls.py", 'path("add"', 'path("new"')
    site.shows('action="/new"')
    site.edit("config/urls.py", 'path("", include("library.urls"))', 'path("books/", include("library.urls"))')
    site.shows("Ann: Trees", "/books/all")
    assert site.get("/all").status == 404
    assert site.started == 1


def test_a_changed_field_restarts_and_says_why(site: Served) -> None:
    edited = "title = models.CharField(max_length=200)\n    pages = models.IntegerField(default=0)"
    site.edit("library/models/book.py", "title = models.CharField(max_length=200)", edited)
    site.printed("library.models.book.*Book is a Django model, and Django's registry takes each model once")
    site.until(lambda: site.started == 2, "started again")
    site.until(lambda: "no such column: library_book.pages" in site.get("/").text, "new")
    manage(site.directory, "makemigrations", "library", "--verbosity", "0")
    manage(site.directory, "migrate", "--verbosity", "0")
    site.edit("library/models/book.py", "{self.title}", "{self.title}, {self.pages} pages")
    site.shows("Ann: Trees, 0 pages")
    assert site.started == 2


def test_a_new_model_is_there_and_a_deleted_one_needs_a_restart(site: Served) -> None:
    shop = "from django.db import models\n\n\nclass Shop(models.Model):\n    name = models.CharField(max_length=100)\n"
    site.write("library/models/shop.py", shop)
    site.edit("library/views/books.py", "import Author, Book", "import Author, Book, Shop")
    site.edit("library/views/books.py", '"heading": "Books"', '"heading": Shop._meta.label')
    site.shows("<h1>library.Shop</h1>")
    site.edit("library/views/books.py", "import Author, Book, Shop", "import Author, Book")
    site.edit("library/views/books.py", "Shop._meta.label", '"Closed"')
    (site.directory / "library/models/shop.py").unlink()
    site.printed("library.models.shop.*the model Shop is not defined there any more")
    site.shows("<h1>Closed</h1>")
    site.until(lambda: site.started >= 2, "started again")


def test_changed_settings_restart(site: Served) -> None:
    site.write(
        "library/middleware.py",
        "def stamp(get_response):\n    def middleware(request):\n        response = get_response(request)\n"
        "        response.content += b'stamped'\n        return response\n    return middleware\n",
    )
    site.edit("config/settings.py", "MIDDLEWARE = [", 'MIDDLEWARE = [\n    "library.middleware.stamp",')
    site.shows("stamped")
    site.until(lambda: site.started == 2, "started again")
    assert "config.settings" in site.log
    site.edit("library/middleware.py", "b'stamped'", "b'marked'")
    site.shows("marked")
    assert site.started == 2


def test_the_old_code_serves_until_a_mistake_is_mended(site: Served) -> None:
    site.edit("library/views/books.py", "Book.objects", "Book..objects")
    site.printed("books.py")
    assert "Ann: Trees" in site.get("/").text
    site.edit("library/views/books.py", "Book..objects", "Book.objects")
    site.edit("library/views/books.py", '"heading": "Books"', '"heading": "Mended"')
    site.shows("<h1>Mended</h1>")
    assert site.started == 1


def test_filters_are_live(project: Path) -> None:
    (project / "library/templatetags").mkdir()
    extras = project / "library/templatetags/extras.py"
    extras.write_text(EXTRAS, encoding="utf-8")
    template = project / "library/templates/library/index.html"
    text = template.read_text(encoding="utf-8")
    template.write_text("{% load extras %}" + text.replace("{{ heading }}", "{{ heading|loud }}"), encoding="utf-8")
    with served(project, "config.wsgi:application") as site:
        assert "<h1>BOOKS</h1>" in site.get("/").text
        site.edit("library/templatetags/extras.py", "str(text).upper()", 'str(text).upper() + "!"')
        site.shows("<h1>BOOKS!</h1>")
        site.edit("library/templatetags/extras.py", "@register.filter", '@register.filter(name="noisy")')
        site.edit("library/templates/library/index.html", "heading|loud", "heading|noisy")
        site.shows("<h1>BOOKS!</h1>")
        assert site.started == 1


def test_the_admin_is_live(project: Path) -> None:
    with_admin(project)
    with served(project, "config.wsgi:application") as site:
        cookie = {"Cookie": f"sessionid={session(project)}"}
        shown = "/admin/library/book/"
        assert "column-title" in site.get(shown, **cookie).text
        site.edit("library/admin.py", '["title"]', '["title", "label"]')
        site.until(lambda: "column-label" in site.get(shown, **cookie).text, "the column")
        assert site.get("/admin/library/author/", **cookie).status == 404
        site.edit("library/admin.py", "import Book", "import Author, Book")
        text = (project / "library/admin.py").read_text(encoding="utf-8")
        site.write("library/admin.py", text + "\n\nadmin.site.register(Author)\n")
        site.until(lambda: site.get("/admin/library/author/", **cookie).status == 200, "the authors")
        assert site.started == 1


def with_admin(project: Path) -> None:
    settings = project / "config/settings.py"
    text = settings.read_text(encoding="utf-8")
    apps = ("admin", "auth", "contenttypes", "sessions", "messages")
    text = text.replace('["library"]', repr([f"django.contrib.{name}" for name in apps] + ["library"]))
    middleware = ["sessions.middleware.Session", "auth.middleware.Authentication", "messages.middleware.Message"]
    text = text.replace(
        "MIDDLEWARE = [", f"MIDDLEWARE = {[f'django.contrib.{name}Middleware' for name in middleware]} + ["
    )
    processors = ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth"]
    processors.append("django.contrib.messages.context_processors.messages")
    text = text.replace('"APP_DIRS": True', f'"APP_DIRS": True, "OPTIONS": {{"context_processors": {processors}}}')
    settings.write_text(text + 'STATIC_URL = "static/"\n', encoding="utf-8")
    urls = project / "config/urls.py"
    text = urls.read_text(encoding="utf-8").replace(
        "urlpatterns = [", 'urlpatterns = [path("admin/", admin.site.urls), '
    )
    urls.write_text(f"from django.contrib import admin\n{text}".replace("from __future__ import annotations", ""))
    (project / "library/admin.py").write_text(ADMIN, encoding="utf-8")
    manage(project, "migrate", "--verbosity", "0")


def session(project: Path) -> str:
    """The session of an administrator."""
    code = (
        "from django.contrib.auth.models import User; from django.test import Client\n"
        "from library.models import Author, Book\n"
        "Book.objects.create(title='Trees', author=Author.objects.create(name='Ann'))\n"
        "user = User.objects.create_superuser('root', password='root')\n"
        "client = Client(); client.force_login(user); print(client.cookies['sessionid'].value)"
    )
    return manage(project, "shell", "-c", code).splitlines()[-1]


def test_it_is_loaded_as_a_whole_for_production(project: Path) -> None:
    code = (
        "import wsgi, sys; from django.test import Client\n"
        "print('library.views.books' in sys.modules, Client(headers={'host': 'localhost'}).get('/').status_code)"
    )
    assert ran(project, "-c", code, LIBRARY_ENV="production").stdout.split() == ["True", "200"]
    assert os.path.exists(project / "library.sqlite3")
