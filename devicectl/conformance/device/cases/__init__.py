"""Cases for a device, a module for each group of rules: small generators, and beside them the rows that name them.

Law: a case says what it does in frames and commands, and what it expects in the words of its rule. It leaves the device
where the ground can follow.
"""
