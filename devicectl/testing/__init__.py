"""What the pytest plugin's fixtures do; the plugin itself is `pytest_handpiece`, which imports this when it is used."""
