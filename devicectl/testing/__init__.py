"""The work of the pytest plugin's fixtures. The plugin itself is `pytest_handpiece`, which imports this when used."""
