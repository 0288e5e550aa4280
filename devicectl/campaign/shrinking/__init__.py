"""A failing run made small: which faults it needs, how mild they may be, and the nearest run that passes.

Law: pure logic around a function that runs a scenario. It is tested with toys, and used with trials.
"""
