"""The commands of `devicectl` that put a session under faults, or repeat one."""
