"""The text of a generated module, in Python and in Ruby, about as large as the median module of Django."""

from __future__ import annotations

from string import Template

__all__ = ["PYTHON", "RUBY"]

PYTHON = Template('''"""$name: what the application knows of one $words.

A $words is drafted by a clerk, opened by a manager, and closed when nothing of it is left to be paid.
"""

$imports

STATES = ("draft", "open", "closed")
DEFAULTS = {"currency": "EUR", "limit": $limit, "states": STATES, "precision": 2}


class $name:
    """One $words; relations are resolved when they are asked for.

    Args:
        identifier: the number that people know it by.
        amount: what is owed, in the currency.
        state: one of the states, in the order in which they are passed through.
    """

    related = ($related)
    table = "$stem"
    fields = ("identifier", "amount", "state", "currency", "paid")

    def __init__(self, identifier: str, amount: float = 0, state: str = "draft"):
        self.identifier = identifier
        self.amount = amount
        self.state = state
        self.currency = DEFAULTS["currency"]
        self.paid = 0

    def __repr__(self):
        return f"<{type(self).__name__} {self.identifier!r}: {self.open_amount()} {self.currency}, {self.state}>"

    @classmethod
    def from_row(cls, row):
        """Make one of a row of the table; columns that are not known are left out."""
        record = cls(row["identifier"], row.get("amount", 0), row.get("state", STATES[0]))
        for name in cls.fields:
            if name in row and getattr(record, name) != row[name]:
                setattr(record, name, row[name])
        return record

    def as_row(self) -> dict:
        """The row of the table that this is stored as."""
        return {name: getattr(self, name) for name in self.fields}

    def closed(self) -> bool:
        return self.state == STATES[-1]

    def open_amount(self) -> float:
        return round(self.amount - self.paid, DEFAULTS["precision"])

    def pay(self, amount: float) -> float:
        """Book a payment, and close the record once nothing is left.

        Returns:
            What is left to be paid.

        Raises:
            ValueError: it is closed already, or less than nothing was paid.
        """
        if self.closed():
            raise ValueError(f"{self!r} is closed")
        if amount < 0:
            raise ValueError(f"{amount} cannot be paid")
        self.paid += amount
        if self.open_amount() <= 0:
            self.state = STATES[-1]
        return self.open_amount()

    def advance(self):
        """Go on to the next state; the last one stays."""
        position = STATES.index(self.state)
        if position + 1 < len(STATES):
            self.state = STATES[position + 1]
        return self.state


def total(records: list, rate: float = 1.0) -> float:
    """The sum of what is not closed."""
    return sum(record.open_amount() * rate for record in records if not record.closed())


def grouped(records, key="state"):
    """The records by the value of one of their fields."""
    groups = {}
    for record in records:
        groups.setdefault(getattr(record, key), []).append(record)
    return groups


LOADED = True
''')

RUBY = Template("""# $name: what the application knows of one $words.
#
# A $words is drafted by a clerk, opened by a manager, and closed when nothing of it is left to be paid.
class $scope::$name
  STATES = %w[draft open closed].freeze
  DEFAULTS = { currency: "EUR", limit: $limit, states: STATES, precision: 2 }.freeze
  RELATED = [$related].freeze
  TABLE = "$stem"
  FIELDS = %i[identifier amount state currency paid].freeze

  attr_accessor :identifier, :amount, :state, :currency, :paid

  def initialize(identifier, amount = 0, state = "draft")
    @identifier = identifier
    @amount = amount
    @state = state
    @currency = DEFAULTS[:currency]
    @paid = 0
  end

  def inspect
    "<#{self.class.name} #{identifier}: #{open_amount} #{currency}, #{state}>"
  end

  # Make one of a row of the table; columns that are not known are left out.
  def self.from_row(row)
    record = new(row[:identifier], row.fetch(:amount, 0), row.fetch(:state, STATES.first))
    FIELDS.each { |name| record.public_send(:"#{name}=", row[name]) if row.key?(name) }
    record
  end

  # The row of the table that this is stored as.
  def as_row
    FIELDS.to_h { |name| [name, public_send(name)] }
  end

  def closed?
    state == STATES.last
  end

  def open_amount
    (amount - paid).round(DEFAULTS[:precision])
  end

  # Book a payment, and close the record once nothing is left.
  def pay(amount)
    raise ArgumentError, "#{inspect} is closed" if closed?
    raise ArgumentError, "#{amount} cannot be paid" if amount.negative?

    @paid += amount
    @state = STATES.last if open_amount <= 0
    open_amount
  end

  # Go on to the next state; the last one stays.
  def advance
    position = STATES.index(state)
    @state = STATES[position + 1] if position + 1 < STATES.size
    state
  end

  # The sum of what is not closed.
  def self.total(records, rate = 1.0)
    records.reject(&:closed?).sum { |record| record.open_amount * rate }
  end

  # The records by the value of one of their fields.
  def self.grouped(records, key = :state)
    records.group_by(&key)
  end
end
""")
