"""What both wires and both ends share: units, enums, messages, records and their layouts."""
