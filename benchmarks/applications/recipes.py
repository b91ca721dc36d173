"""Recipes: six public applications, and fifteen edits of each, of the kinds that people make."""

from __future__ import annotations

from benchmarks.applications.replay import Edit, Recipe

__all__ = ["RECIPES"]

FLASKR = Recipe(
    "flaskr:create_app()",
    "wsgi",
    ("/hello", "/", "/auth/login", "/auth/register"),
    (
        Edit("a view body", {"flaskr/__init__.py": ('"Hello, World!"', '"Hello, you!"')}),
        Edit(
            "a helper",
            {"flaskr/auth.py": ('redirect(url_for("auth.login"))', 'redirect(url_for("auth.register"))')},
            ("/create",),
        ),
        Edit(
            "a new constant",
            {
                "flaskr/blog.py": (
                    'bp = Blueprint("blog", __name__)\n',
                    'bp = Blueprint("blog", __name__)\nTITLE = "news"\n',
                )
            },
        ),
        Edit("a view uses it", {"flaskr/blog.py": ("posts=posts)", "posts=posts) + TITLE")}),
        Edit("a constant", {"flaskr/blog.py": ('TITLE = "news"', 'TITLE = "olds"')}),
        Edit(
            "a route",
            {
                "flaskr/blog.py": (
                    '@bp.route("/create"',
                    '@bp.route("/about")\ndef about():\n    return "about"\n\n\n@bp.route("/create"',
                )
            },
            ("/about",),
        ),
        Edit("a template", {"flaskr/templates/blog/index.html": ("Posts", "All Posts")}),
        Edit("a form field", {"flaskr/templates/auth/register.html": ("Username", "Name")}),
        Edit("a query", {"flaskr/blog.py": ("ORDER BY created DESC", "ORDER BY created ASC")}),
        Edit(
            "a new file",
            {
                "flaskr/words.py": 'WORD = "word"\n',
                "flaskr/__init__.py": ('return "Hello, you!"', "from .words import WORD\n\n        return WORD"),
            },
        ),
        Edit(
            "a rename with users",
            {
                "flaskr/words.py": ("WORD", "TEXT"),
                "flaskr/__init__.py": ("import WORD\n\n        return WORD", "import TEXT\n\n        return TEXT"),
            },
        ),
        Edit("a decorator", {"flaskr/blog.py": ('@bp.route("/about")\n', '@bp.route("/about")\n@login_required\n')}),
        Edit(
            "a setting",
            {"flaskr/__init__.py": ('SECRET_KEY="dev",', 'SECRET_KEY="dev",\n        GREETING="hi",')},
        ),
        Edit("a view uses it", {"flaskr/__init__.py": ("return TEXT", 'return app.config["GREETING"] + TEXT')}),
        Edit(
            "a signal handler",
            {
                "flaskr/blog.py": (
                    'bp = Blueprint("blog", __name__)\n',
                    "from flask import request_finished\n\n\ndef mark(sender, response, **extra):\n"
                    '    response.data = response.data + b"one"\n\n\nrequest_finished.connect(mark)\n'
                    'bp = Blueprint("blog", __name__)\n',
                )
            },
            ("/about",),
        ),
        Edit("its name", {"flaskr/blog.py": ("def mark(", "def marked(")}, is_wrong=True),
        Edit("and its user", {"flaskr/blog.py": ("connect(mark)", "connect(marked)")}),
        Edit("an error", {"flaskr/blog.py": ("bp = Blueprint(", "bp = Blueprin(")}, is_wrong=True),
        Edit("its mending", {"flaskr/blog.py": ("bp = Blueprin(", "bp = Blueprint(")}),
        Edit("a checkout", everything_back=True),
    ),
    prepare=(("-m", "flask", "--app", "flaskr", "init-db"),),
)

MICROBLOG = Recipe(
    "microblog:app",
    "wsgi",
    ("/auth/login", "/auth/register", "/api/users", "/nothing", "/explore"),
    (
        Edit("a view body", {"app/auth/routes.py": ("title=_('Sign In')", "title=_('Sign in here')")}),
        Edit("a helper", {"app/api/errors.py": ("'Unknown error')}", "'Unknown error').upper()}")}),
        Edit("a new constant", {"app/auth/forms.py": ("class LoginForm", "LABEL = 'Name'\n\n\nclass LoginForm")}),
        Edit("a form uses it", {"app/auth/forms.py": ("StringField(_l('Username')", "StringField(LABEL")}),
        Edit("a constant", {"app/auth/forms.py": ("LABEL = 'Name'", "LABEL = 'User'")}),
        Edit(
            "a route",
            {
                "app/main/routes.py": (
                    "@bp.route('/explore')",
                    "@bp.route('/about')\ndef about():\n    return current_app.config['ADMINS'][0]\n\n\n@bp.route('/explore')",
                )
            },
            ("/about",),
        ),
        Edit("a setting", {"config.py": ("your-email@", "mine@")}),
        Edit("a template", {"app/templates/auth/login.html": ("New User?", "Nobody yet?")}),
        Edit(
            "a form field",
            {"app/auth/forms.py": ("    remember_me", "    code = StringField('Code')\n    remember_me")},
        ),
        Edit(
            "a model method",
            {
                "app/models.py": (
                    "class User(PaginatedAPIMixin, UserMixin, db.Model):\n",
                    "class User(PaginatedAPIMixin, UserMixin, db.Model):\n    def greet(self):\n        return 'greet'\n\n",
                ),
                "app/main/routes.py": ("return current_app.config['ADMINS'][0]", "return User().greet()"),
            },
        ),
        Edit(
            "a model field",
            {
                "app/models.py": (
                    "    token_expiration: so.Mapped[Optional[datetime]]\n",
                    "    token_expiration: so.Mapped[Optional[datetime]]\n    nick: so.Mapped[Optional[str]]\n",
                ),
                "app/main/routes.py": ("User().greet()", "User().greet() + str('nick' in User.__table__.columns)"),
            },
        ),
        Edit(
            "a new file",
            {
                "app/words.py": "WORD = 'word'\n",
                "app/main/routes.py": (
                    "    return User().greet()",
                    "    from app.words import WORD\n    return WORD + User().greet()",
                ),
            },
        ),
        Edit(
            "a rename with users",
            {
                "app/words.py": "TEXT = 'word'\n",
                "app/main/routes.py": ("import WORD\n    return WORD", "import TEXT\n    return TEXT"),
            },
        ),
        Edit(
            "a signal handler",
            {
                "app/main/routes.py": (
                    "from app.main import bp\n",
                    "from app.main import bp\nfrom flask import request_finished\n\n\ndef mark(sender, response, **extra):\n"
                    "    if response.mimetype == 'text/html':\n        response.data += b'one'\n\n\n"
                    "request_finished.connect(mark)\n",
                )
            },
        ),
        Edit("its body", {"app/main/routes.py": ("b'one'", "b'two'")}),
        Edit(
            "a decorator", {"app/main/routes.py": ("@bp.route('/about')\n", "@bp.route('/about')\n@login_required\n")}
        ),
        Edit("an error", {"app/auth/forms.py": ("import ValidationError,", "import ValidationErro,")}, is_wrong=True),
        Edit("its mending", {"app/auth/forms.py": ("import ValidationErro,", "import ValidationError,")}),
        Edit("a checkout", everything_back=True),
    ),
    prepare=(("-m", "flask", "--app", "microblog", "db", "upgrade"),),
)

_BLOG = "src/blog/__init__.py"
QUART_BLOG = Recipe(
    "blog:app",
    "asgi",
    ("/", "/create/"),
    (
        Edit("a view body", {_BLOG: ("posts=posts)", 'posts=posts) + "end"')}),
        Edit("a new helper", {_BLOG: ("def _get_db():", 'def _mark():\n    return "mark"\n\n\ndef _get_db():')}),
        Edit("a view uses it", {_BLOG: ('+ "end"', "+ _mark()")}),
        Edit("a helper", {_BLOG: ('return "mark"', 'return "sign"')}),
        Edit("a new constant", {_BLOG: ("app = Quart(__name__)\n", 'app = Quart(__name__)\nTITLE = "news"\n')}),
        Edit("a helper uses it", {_BLOG: ('return "sign"', "return TITLE")}),
        Edit("a constant", {_BLOG: ('TITLE = "news"', 'TITLE = "olds"')}),
        Edit(
            "a route",
            {
                _BLOG: (
                    '@app.route("/create/"',
                    '@app.get("/about")\nasync def about():\n    return "about"\n\n\n@app.route("/create/"',
                )
            },
            ("/about",),
        ),
        Edit("a template", {"src/blog/templates/create.html": ("Title:", "Name:")}),
        Edit("a form field", {"src/blog/templates/create.html": ("<button", '<input name="more" /><button')}),
        Edit("a setting", {_BLOG: ('"blog.db",\n', '"blog.db",\n        "PAGE": "five",\n')}),
        Edit("a view uses it", {_BLOG: ('return "about"', 'return app.config["PAGE"]')}),
        Edit("the setting", {_BLOG: ('"PAGE": "five"', '"PAGE": "six"')}),
        Edit(
            "a new file",
            {
                "src/blog/words.py": 'WORD = "word"\n',
                _BLOG: ("from quart import g\n", "from quart import g\nfrom blog.words import WORD\n"),
            },
        ),
        Edit("a view uses it", {_BLOG: ('return app.config["PAGE"]', 'return app.config["PAGE"] + WORD')}),
        Edit(
            "a rename with users",
            {"src/blog/words.py": 'TEXT = "word"\n', _BLOG: ("import WORD\n", "import TEXT as WORD\n")},
        ),
        Edit(
            "a signal handler",
            {
                _BLOG: (
                    '@app.get("/about")',
                    '@app.after_request\nasync def mark(response):\n    response.set_data(await response.get_data() + b"one")\n'
                    '    return response\n\n\n@app.get("/about")',
                )
            },
        ),
        Edit("an error", {_BLOG: ("app = Quart(", "app = Quar(")}, is_wrong=True),
        Edit("its mending", {_BLOG: ("app = Quar(", "app = Quart(")}),
        Edit("a checkout", everything_back=True),
    ),
    prepare=(("-c", "import blog; blog.init_db()"),),
    variables={"PYTHONPATH": "src"},
)

STARLETTE = Recipe(
    "app:app",
    "asgi",
    ("/", "/nothing"),
    (
        Edit("a view body", {"app.py": ('    template = "404.html"', '    template = "500.html"')}),
        Edit(
            "a new helper", {"app.py": ("async def homepage", 'def word():\n    return "word"\n\n\nasync def homepage')}
        ),
        Edit(
            "a route",
            {
                "app.py": (
                    "routes = [\n",
                    "async def about(request):\n    from starlette.responses import PlainTextResponse\n\n"
                    "    return PlainTextResponse(word())\n\n\nroutes = [\n    Route('/about', about),\n",
                )
            },
            ("/about",),
        ),
        Edit("a helper", {"app.py": ('return "word"', 'return "text"')}),
        Edit("a new constant", {"app.py": ("def word():", 'TITLE = "news"\n\n\ndef word():')}),
        Edit("a helper uses it", {"app.py": ('return "text"', "return TITLE")}),
        Edit("a constant", {"app.py": ('TITLE = "news"', 'TITLE = "olds"')}),
        Edit("a template", {"templates/index.html": ("Hello, world!", "Hello, you!")}),
        Edit("a form field", {"templates/index.html": ("<main", '<input name="one"><main')}),
        Edit(
            "a model",
            {
                "app.py": (
                    "TITLE = ",
                    "from dataclasses import dataclass\n\n\n@dataclass\nclass Item:\n    name: str = 'one'\n\n"
                    "    def shown(self):\n        return repr(self)\n\n\nTITLE = ",
                )
            },
        ),
        Edit("a helper uses it", {"app.py": ("return TITLE", "return TITLE + Item().shown()")}),
        Edit("a model field", {"app.py": ("    name: str = 'one'\n", "    name: str = 'one'\n    size: int = 2\n")}),
        Edit("a model method", {"app.py": ("return repr(self)", "return repr(self).upper()")}),
        Edit(
            "a new file",
            {"words.py": "WORD = 'word'\n", "app.py": ("import uvicorn\n", "import uvicorn\nfrom words import WORD\n")},
        ),
        Edit("a helper uses it", {"app.py": ("return TITLE + ", "return WORD + TITLE + ")}),
        Edit(
            "a rename with users", {"words.py": "TEXT = 'word'\n", "app.py": ("import WORD\n", "import TEXT as WORD\n")}
        ),
        Edit("a setting", {"app.py": ("Starlette(debug=True", "Starlette(debug=False")}),
        Edit(
            "a decorator",
            {
                "app.py": (
                    "async def about(",
                    "def loud(view):\n    async def louder(request):\n        response = await view(request)\n"
                    "        response.status_code = 202\n        return response\n\n    return louder\n\n\n@loud\nasync def about(",
                )
            },
        ),
        Edit("an error", {"app.py": ("templates = Jinja2Templates(", "templates = Jinja3Templates(")}, is_wrong=True),
        Edit("its mending", {"app.py": ("templates = Jinja3Templates(", "templates = Jinja2Templates(")}),
        Edit("a checkout", everything_back=True),
    ),
)

_VIEWS = "svc/routes/views.py"
_ABOUT = """

class Item(BaseModel):
    name: str = "one"

    def shown(self) -> str:
        return self.name


@router.get("/about")
async def about() -> Item:
    return Item()


@router.post("/items")
async def post_item(item: Item) -> str:
    return item.shown()
"""
FASTAPI_NANO = Recipe(
    "svc.main:app",
    "asgi",
    ("/", "/openapi.json", "/api_a/3", "/nothing"),
    (
        Edit("a view body", {_VIEWS: ("This is the index page", "Here is the index page")}),
        Edit("the view body again", {_VIEWS: ("Here is the index page", "There is the index page")}),
        Edit(
            "a helper",
            {"svc/core/auth.py": ('detail="Could not validate credentials"', 'detail="Who are you?"')},
        ),
        Edit(
            "a route",
            {
                _VIEWS: ('\n\n@router.get("/api_a/{num}"', f'{_ABOUT}\n\n@router.get("/api_a/{{num}}"'),
            },
            is_wrong=True,
        ),
        Edit(
            "its import",
            {
                _VIEWS: (
                    "from fastapi import APIRouter, Depends\n",
                    "from fastapi import APIRouter, Depends\nfrom pydantic import BaseModel\n",
                )
            },
            ("/about",),
        ),
        Edit("a model field", {_VIEWS: ('    name: str = "one"\n', '    name: str = "one"\n    size: int = 2\n')}),
        Edit("a constant", {_VIEWS: ("router = APIRouter()\n", 'router = APIRouter()\nWORD = "word"\n')}),
        Edit("a form field", {_VIEWS: ("size: int = 2", "size: float = 2.5")}),
        Edit("a model method", {_VIEWS: ("return self.name\n", "return self.name.upper()\n")}),
        Edit("a view uses it", {_VIEWS: ("return Item()", "return Item(name=Item(name=WORD).shown())")}),
        Edit(
            "a validator",
            {
                _VIEWS: (
                    "    def shown(self)",
                    '    @field_validator("name")\n    @classmethod\n    def loud(cls, value: str) -> str:\n'
                    '        return value + "!"\n\n    def shown(self)',
                )
            },
            is_wrong=True,
        ),
        Edit("its import", {_VIEWS: ("import BaseModel\n", "import BaseModel, field_validator\n")}),
        Edit("a decorator", {_VIEWS: ('@router.get("/about")', '@router.get("/about", status_code=202)')}),
        Edit(
            "a new file",
            {"svc/words.py": 'WORD = "other"\n', _VIEWS: ('WORD = "word"\n', "from svc.words import WORD\n")},
        ),
        Edit(
            "a rename with users",
            {
                "svc/words.py": 'TEXT = "other"\n',
                _VIEWS: ("from svc.words import WORD\n", "from svc.words import TEXT as WORD\n"),
            },
        ),
        Edit("a setting", {"svc/main.py": ("app = FastAPI()", 'app = FastAPI(title="nano")')}),
        Edit(
            "a dependency",
            {_VIEWS: ("async def about() -> Item:", "async def about(user: CurrentUser) -> Item:")},
        ),
        Edit(
            "a signal handler",
            {
                "svc/main.py": (
                    "    app.include_router(views.router)\n",
                    '    app.include_router(views.router)\n\n    @app.middleware("http")\n    async def mark(request, call_next):\n'
                    "        response = await call_next(request)\n        response.status_code += 1\n        return response\n\n",
                )
            },
        ),
        Edit("an error", {"svc/core/auth.py": ("class Token(BaseModel)", "class Token(BaseMode)")}, is_wrong=True),
        Edit("its mending", {"svc/core/auth.py": ("class Token(BaseMode)", "class Token(BaseModel)")}),
        Edit("a checkout", everything_back=True),
    ),
)

_SEARCH = "bakerydemo/search/views.py"
BAKERYDEMO = Recipe(
    "bakerydemo.wsgi:application",
    "wsgi",
    ("/search/", "/search/?q=bread", "/api/v2/pages/?limit=2", "/test404/", "/static/css/main.css", "/admin/login/"),
    (
        Edit("a view body", {_SEARCH: ('"search_query": search_query,', '"search_query": search_query or "nothing",')}),
        Edit("a new constant", {_SEARCH: ("\n\ndef search(request)", '\nWORD = "word"\n\n\ndef search(request)')}),
        Edit("a view uses it", {_SEARCH: ('search_query or "nothing"', "search_query or WORD")}),
        Edit("a constant", {_SEARCH: ('WORD = "word"', 'WORD = "other"')}),
        Edit(
            "a new helper",
            {_SEARCH: ("\n\ndef search(request)", "\n\ndef word():\n    return WORD\n\n\ndef search(request)")},
        ),
        Edit("a view uses it", {_SEARCH: ("search_query or WORD", "search_query or word()")}),
        Edit("a helper", {_SEARCH: ("    return WORD\n", "    return WORD.upper()\n")}),
        Edit(
            "a route",
            {
                "bakerydemo/urls.py": (
                    '    path("sitemap.xml", sitemap),',
                    '    path("find/", search_views.search),\n    path("sitemap.xml", sitemap),',
                )
            },
            ("/find/",),
        ),
        Edit("a template", {"bakerydemo/templates/search/search_results.html": ("<h1>Search results", "<h1>Found")}),
        Edit(
            "a model method",
            {
                "bakerydemo/blog/models.py": (
                    "class BlogPage(Page):\n",
                    'class BlogPage(Page):\n    def word(self):\n        return "blog"\n\n',
                ),
                _SEARCH: ("search_query or word()", "search_query or BlogPage.word(None)"),
            },
        ),
        Edit("the model method", {"bakerydemo/blog/models.py": ('return "blog"', 'return "log"')}),
        Edit(
            "a model field",
            {
                "bakerydemo/blog/models.py": (
                    "    subtitle = models.CharField(blank=True, max_length=255)",
                    "    subtitle = models.CharField(blank=True, max_length=99)",
                ),
                _SEARCH: (
                    "BlogPage.word(None)",
                    'BlogPage.word(None) + str(BlogPage._meta.get_field("subtitle").max_length)',
                ),
            },
        ),
        Edit(
            "a form field",
            {"bakerydemo/api.py": ('"persons", PersonApiViewSet', '"people", PersonApiViewSet')},
            ("/api/v2/people/", "/api/v2/persons/"),
        ),
        Edit(
            "a new file",
            {
                "bakerydemo/search/words.py": 'WORD = "word"\n',
                _SEARCH: ('WORD = "other"\n', "from bakerydemo.search.words import WORD\n"),
            },
        ),
        Edit(
            "a rename with users",
            {"bakerydemo/search/words.py": 'TEXT = "word"\n', _SEARCH: ("import WORD\n", "import TEXT as WORD\n")},
        ),
        Edit(
            "a decorator",
            {
                _SEARCH: (
                    "def search(request)",
                    "from django.views.decorators.http import require_POST\n\n\n@require_POST\ndef search(request)",
                )
            },
        ),
        Edit("a setting", {"bakerydemo/settings/base.py": ('WAGTAIL_SITE_NAME = "', 'WAGTAIL_SITE_NAME = "our ')}),
        Edit(
            "a signal handler",
            {
                _SEARCH: (
                    "from django.conf import settings\n",
                    "from django.conf import settings\nfrom django.core.signals import request_started\nfrom django.http import Http404\n\n\n"
                    'def begin(sender, **environ):\n    settings.BEGUN = getattr(settings, "BEGUN", 0) + 1\n\n\nrequest_started.connect(begin)\n',
                )
            },
        ),
        Edit(
            "a new wagtail_hooks.py",
            {
                "bakerydemo/blog/wagtail_hooks.py": 'from wagtail import hooks\n\n\n@hooks.register("before_serve_page")\ndef serve(page, request, args, kwargs):\n    from django.http import HttpResponse\n\n    return HttpResponse("hooked")\n'
            },
            ("/",),
        ),
        Edit("a hook", {"bakerydemo/blog/wagtail_hooks.py": ('"hooked"', '"hooked again"')}),
        Edit(
            "an error",
            {_SEARCH: ("from django.shortcuts import render\n", "from django.shortcuts import rende\n")},
            is_wrong=True,
        ),
        Edit(
            "its mending", {_SEARCH: ("from django.shortcuts import rende\n", "from django.shortcuts import render\n")}
        ),
        Edit("a checkout", everything_back=True),
    ),
    prepare=(("manage.py", "migrate", "-v0"),),
)

RECIPES = {
    "flaskr": FLASKR,
    "microblog": MICROBLOG,
    "quart-blog": QUART_BLOG,
    "starlette-example": STARLETTE,
    "fastapi-nano": FASTAPI_NANO,
    "bakerydemo": BAKERYDEMO,
}
