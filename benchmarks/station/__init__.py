"""Benchmarks of the trainers' station."""
