"""Mark for tests that reach inside: they run on the sources alone.

A compiled module calls its own functions directly, looks up no attribute of its classes, and cuts bytes without asking
their class; and it keeps no annotations of a class body. What a test patches or reads there is not seen, so what it
shows is shown on the sources; decision 28 says more.
"""

import pytest

from handpiece_shell.version import is_compiled

reaches_inside = pytest.mark.skipif(is_compiled(), reason="patches or reads what compiled code does not look up")
