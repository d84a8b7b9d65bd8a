"""The words of the field as plain values: side, kind, record, link, base, mark, plan, action."""
