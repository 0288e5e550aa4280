"""The debrief of a lesson: what happened in it, what was believed and what was so, and "what if"."""
