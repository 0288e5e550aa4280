"""Language of both wires and both ends: units, enums, messages, records and their layouts."""
