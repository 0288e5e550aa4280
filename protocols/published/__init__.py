"""The language for other people's programs: JSON Schemas, AsyncAPI, golden vectors."""
