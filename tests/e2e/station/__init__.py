"""The trainers' station in a real browser: its pages, and its server as a process of its own."""
