"""Twins of devices with a defect, and of many devices without one."""
