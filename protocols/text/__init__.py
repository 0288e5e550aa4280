"""Text as people write and read it: names, addresses, URLs, and what a terminal may show."""
