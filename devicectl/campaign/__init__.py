"""Sessions under faults: one, many, or every small one; judged, recorded, repeated and made small.

Law: beside `devicectl.simulation` the only package of `devicectl` that imports `firmware_sim`. A run is its scenario
and its seed: the same version does the same again.
"""
