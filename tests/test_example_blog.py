"""The example application: it works as a blog, and it loads only what is used."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import flask
import pytest
import sqlalchemy.orm
from running import ran

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "blog"
ATOM = "{http://www.w3.org/2005/Atom}"

# Imported before any test, so that what the tests' own clean-up removes is the blog and nothing else.
assert flask.Flask
assert sqlalchemy.orm.Session


class Site:
    """A running blog: its loader, its application and a browser without pictures."""

    def __init__(self, loader: Any, application: Any) -> None:
        self.loader = loader
        self.application = application
        self.client = application.test_client()

    def token(self, page: str) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get(page).text)
        assert found
        return found[1]

    def send(self, form: str, to: str, **fields: str) -> Any:
        return self.client.post(to, data={"csrf_token": self.token(form), **fields}, follow_redirects=True)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    for name in [name for name in sys.modules if name == "autoload" or name.partition(".")[0] == "blog"]:
        monkeypatch.delitem(sys.modules, name)
    import autoload
    import blog

    configuration = blog.Configuration(database_url=f"sqlite:///{tmp_path}/blog.sqlite3")
    application = blog.Application(configuration)
    yield Site(autoload.loader, application)
    application.database.close()
    autoload.loader.unload()
    autoload.loader.unregister()
    del sys.modules["autoload"]


@pytest.fixture
def seeded(site: Site) -> Site:
    import blog

    with site.application.app_context():
        assert blog.tasks.Seed(site.application.database.session).run() == 6
    return site


def child(*arguments: str, cwd: Path = EXAMPLE, **environment: str) -> str:
    return ran(cwd, *arguments, **environment).stdout


def test_the_blog_has_no_init_file() -> None:
    assert list(EXAMPLE.rglob("__init__.py*")) == []


def test_names_follow_from_the_files(site: Site) -> None:
    def file(name: str) -> str:
        return Path(site.loader.where(name)).relative_to(EXAMPLE).as_posix()

    assert file("blog.services.HTMLRenderer") == "blog/services/html_renderer.py"
    assert file("blog.models.Sluggable") == "blog/models/concerns/sluggable.py"
    assert file("blog.controllers.CSRFProtection") == "blog/controllers/concerns/csrf_protection.py"
    assert file("blog.Database") == "blog/db.py"


def test_a_controller_is_loaded_by_its_first_request(seeded: Site) -> None:
    assert "blog.controllers.feeds_controller" not in seeded.loader.loaded()
    seeded.client.get("/feed.atom")
    assert "blog.controllers.feeds_controller" in seeded.loader.loaded()
    assert "blog.controllers.posts_controller" not in seeded.loader.loaded()


def test_eager_loading_leaves_the_tasks_out_unless_it_is_forced(site: Site) -> None:
    site.loader.eager_load()
    assert "blog.tasks.seed" not in site.loader.loaded()
    site.loader.eager_load(force=True, strict=True)
    assert "blog.tasks.seed" in site.loader.loaded()


def test_the_home_page_shows_the_newest_posts_and_leads_to_the_older_ones(seeded: Site) -> None:
    page = seeded.client.get("/").text
    assert re.findall(r'<h2><a href="/posts/([\w-]+)">', page)[:2] == [
        "circles",
        "the-smallest-web-framework-is-a-table",
    ]
    assert "Page 1 of 2" in page
    assert "hello-tree" in seeded.client.get("/?page=2").text


def test_a_post_is_written_in_a_browser_and_edited(site: Site) -> None:
    page = site.send("/posts/new", "/posts", title="Ünder the trees", body="It is *quiet*.", tags="Woods, walks")
    assert page.status_code == 200
    assert page.request.path == "/posts/under-the-trees"
    assert "<em>quiet</em>" in page.text
    page = site.send("/posts/under-the-trees/edit", "/posts/under-the-trees", title="Under", body="Loud.", tags="")
    assert page.request.path == "/posts/under-the-trees"
    assert "Loud." in page.text
    assert site.client.get("/api/tags").json == {"tags": []}


def test_a_form_that_is_not_complete_comes_back_with_the_reasons(site: Site) -> None:
    page = site.send("/posts/new", "/posts", title="", body="Text that must not be lost", tags="two words")
    assert page.status_code == 422
    assert "Title is missing." in page.text
    assert "Text that must not be lost" in page.text
    assert site.client.get("/api/posts").json["posts"] == []


def test_a_form_without_the_token_of_its_visitor_is_refused(site: Site) -> None:
    assert site.client.post("/posts", data={"title": "Spam", "body": "Spam"}).status_code == 400
    site.token("/posts/new")
    forged = {"csrf_token": "of somebody else", "title": "Spam", "body": "Spam"}
    assert site.client.post("/posts", data=forged).status_code == 400
    assert site.client.get("/api/posts").json["posts"] == []


def test_a_comment_is_added_below_its_post(seeded: Site) -> None:
    page = seeded.send("/posts/circles", "/posts/circles/comments", author="Henri", body="Squares, too.")
    assert page.status_code == 200
    assert "Squares, too." in page.text
    empty = seeded.send("/posts/circles", "/posts/circles/comments", author="", body="Who am I?")
    assert empty.status_code == 422
    assert len(seeded.client.get("/api/posts/circles").json["comments"]) == 2


def test_what_visitors_write_cannot_become_code_in_the_page(site: Site) -> None:
    body = "<script>alert(1)</script> [x](javascript:alert(2)) `<b>`"
    page = site.send("/posts/new", "/posts", title="<i>Title</i>", body=body).text
    assert "<script>" not in page
    assert "<i>Title" not in page
    assert 'href="javascript' not in page
    assert "<code>&lt;b&gt;</code>" in page


def test_the_api_writes_and_reads_posts(site: Site) -> None:
    made = site.client.post("/api/posts", json={"title": "New", "body": "**Hi**", "tags": "api"})
    assert made.status_code == 201
    # "/posts/new" is the form, so that this title gets another address.
    assert made.headers["Location"] == "/api/posts/new-2"
    assert made.json["html"] == "<p><strong>Hi</strong></p>"
    assert site.client.post("/api/posts/new-2/comments", json={"author": "A", "body": "B"}).status_code == 201
    assert site.client.get("/api/posts").json["posts"][0]["comments"] == 1
    assert site.client.get("/api/tags").json == {"tags": [{"name": "api", "posts": 1}]}


@pytest.mark.parametrize(
    ("sent", "status", "reason"),
    [
        ({"title": "No body"}, 422, "is missing"),
        ({"title": "x" * 121, "body": "b"}, 422, "longer than 120"),
        ({"title": "t", "body": "b", "tags": "not this one"}, 422, "letters, digits and dashes"),
        ({"title": 1, "body": "b"}, 400, "have to be strings: title"),
        (["a list"], 400, "Send an object"),
    ],
)
def test_the_api_says_what_is_wrong_with_a_post(site: Site, sent: object, status: int, reason: str) -> None:
    answer = site.client.post("/api/posts", json=sent)
    assert answer.status_code == status
    assert reason in answer.text
    assert site.client.get("/api/posts").json["posts"] == []


def test_the_feed_is_atom_with_html_that_is_escaped_once(seeded: Site) -> None:
    feed = ElementTree.fromstring(seeded.client.get("/feed.atom").data)
    entries = feed.findall(f"{ATOM}entry")
    assert [entry.findtext(f"{ATOM}title") for entry in entries][:1] == ["Circles"]
    assert entries[0].find(f"{ATOM}link").attrib["href"] == "http://localhost/posts/circles"  # type: ignore[union-attr]
    assert (entries[0].findtext(f"{ATOM}content") or "").startswith("<p>A post has comments")


def test_search_wants_every_word_and_tags_narrow(seeded: Site) -> None:
    found = re.compile(r'<h2><a href="/posts/([\w-]+)">')
    assert found.findall(seeded.client.get("/search?q=circles+moment").text) == ["circles"]
    assert found.findall(seeded.client.get("/search?q=100%").text) == []
    assert set(found.findall(seeded.client.get("/tags/conventions").text)) == {"a-file-a-name", "on-acronyms"}


@pytest.mark.parametrize("path", ["/posts/nowhere", "/tags/nothing", "/nothing"])
def test_what_is_not_there_is_a_page_that_says_so(site: Site, path: str) -> None:
    answer = site.client.get(path)
    assert answer.status_code == 404
    assert "<h1>Not Found</h1>" in answer.text
    assert site.client.get("/api/posts/nowhere").json["error"] == "Not Found"


def test_a_wsgi_server_gets_an_application_with_everything_loaded(tmp_path: Path) -> None:
    script = "import autoload, wsgi; print(len(autoload.loader.loaded()), wsgi.app.test_client().get('/').status)"
    output = child("-c", script, BLOG_DATABASE_URL=f"sqlite:///{tmp_path}/blog.sqlite3")
    count, _, status = output.strip().partition(" ")
    assert int(count) > 30
    assert status == "200 OK"


def test_the_demo_tells_its_story_without_a_path_of_the_machine(tmp_path: Path) -> None:
    output = child(str(EXAMPLE / "demo.py"), cwd=tmp_path, COLUMNS="100")
    assert "0 of 32 files" in output
    assert output.count("200, ") == 5
    assert "blog.services.HTMLRenderer" in output
    assert str(EXAMPLE.parent) not in output
    assert str(Path.home()) not in output
    assert list(tmp_path.iterdir()) == []
