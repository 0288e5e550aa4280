"""The control API: its table, its forms, its document, and what each operation does."""
