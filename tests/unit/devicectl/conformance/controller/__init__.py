"""Tests of `devicectl.conformance.controller`."""
