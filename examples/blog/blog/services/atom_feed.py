"""The Atom format (RFC 4287)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from xml.etree import ElementTree

from blog.models import Post
from blog.services import HTMLRenderer

NAMESPACE = "http://www.w3.org/2005/Atom"


class AtomFeed:
    """A feed of posts."""

    def __init__(self, title: str, home: str, address: str) -> None:
        self.title = title
        self.home = home
        self.address = address

    def render(self, posts: Sequence[Post], link: Callable[[Post], str]) -> bytes:
        """The feed as XML; ``link`` gives the full address of a post."""
        feed = ElementTree.Element("feed", xmlns=NAMESPACE)
        updated = max((post.updated_at for post in posts), default=datetime(2000, 1, 1))
        _head(feed, self.title, self.home, updated)
        ElementTree.SubElement(feed, "link", rel="self", href=self.address)
        ElementTree.SubElement(feed, "link", rel="alternate", href=self.home)
        ElementTree.SubElement(ElementTree.SubElement(feed, "author"), "name").text = self.title
        for post in posts:
            entry = ElementTree.SubElement(feed, "entry")
            _head(entry, post.title, link(post), post.updated_at)
            ElementTree.SubElement(entry, "published").text = _stamp(post.created_at)
            ElementTree.SubElement(entry, "link", href=link(post))
            for tag in post.tags:
                ElementTree.SubElement(entry, "category", term=tag.name)
            ElementTree.SubElement(entry, "content", type="html").text = str(HTMLRenderer().render(post.body))
        ElementTree.indent(feed)
        xml: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
        return xml


def _head(element: ElementTree.Element, title: str, identity: str, updated: datetime) -> None:
    ElementTree.SubElement(element, "title").text = title
    ElementTree.SubElement(element, "id").text = identity
    ElementTree.SubElement(element, "updated").text = _stamp(updated)


def _stamp(moment: datetime) -> str:
    return f"{moment.isoformat(timespec='seconds')}Z"
