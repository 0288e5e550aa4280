"""The session log: the only place that knows SQL.

Law: importing this package does not import SQLAlchemy, which takes longer than everything else together; import
`devicectl.log.store` where a log is opened, and not before.
"""
