"""A campaign of random faults in virtual time, judged from the specification, and kills of real processes."""
