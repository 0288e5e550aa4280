"""The simulated handpiece: firmware, plant, memory, and the ways to reach it.

TRAINING SIMULATOR - NOT A MEDICAL DEVICE.

Law: it may import `protocols`, never `devicectl`. Only `serve`, `memory_file` and `clock` touch the world.
"""
