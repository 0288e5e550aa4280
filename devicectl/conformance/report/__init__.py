"""The report of a run: one value, and the forms in which it is read.

Law: each form is made of the data of `summary.report_data` alone, so that none says more than another.
"""
