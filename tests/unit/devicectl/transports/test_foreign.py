"""What is said of pyserial's URLs: each names another URL, which is right."""

import pytest

from devicectl.errors import UrlError
from devicectl.transports.foreign import FOREIGN, WITHIN
from devicectl.transports.urls import SCHEMES, parse_url


@pytest.mark.parametrize("scheme", FOREIGN)
def test_a_url_of_pyserials_is_refused_in_one_sentence_that_names_another(scheme: str) -> None:
    with pytest.raises(UrlError) as caught:
        parse_url(f"{scheme}://127.0.0.1:4001")
    assert caught.value.reason.startswith(f"{scheme}://") and caught.value.part == "scheme"
    parse_url(str(caught.value).rpartition("for example ")[2])


def test_none_of_them_is_one_of_ours() -> None:
    assert not FOREIGN.keys() & SCHEMES.keys() and WITHIN.keys() - FOREIGN.keys() == {"rfc2217"}
