"""Every small list of faults of one short session: all single ones, or all pairs.

Law: counted, not sampled, and nothing is skipped. What it claims is about one seed, one plan and these kinds.
"""
