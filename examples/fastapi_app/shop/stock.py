"""What there is to be bought, in memory. Edits of other files leave it as it is."""

from __future__ import annotations

from shop.models import Product

STOCK = {
    "tea": Product(name="tea", price=4.5),
    "cup": Product(name="cup", price=8),
}
