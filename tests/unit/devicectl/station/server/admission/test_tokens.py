import itertools

import pytest

from devicectl.station.server.admission.tokens import Tokens, Who

INSTRUCTOR = Who("instructor")
TRAINEE = Who("trainee", 1)
OTHER = Who("trainee", 2)
PRESENTER = Who("presenter", 1)


@pytest.fixture
def tokens() -> Tokens:
    numbers = itertools.count()
    made = Tokens(lambda size: f"secret-{size}-{next(numbers)}", 8000)
    for who in (INSTRUCTOR, TRAINEE, OTHER, PRESENTER):
        made.renew(who)
    return made


def jar(tokens: Tokens, *whos: Who) -> dict[str, str]:
    pairs = (tokens.cookie(who).partition(";")[0].partition("=") for who in whos)
    return {name: value for name, _, value in pairs}


def test_link_lets_in_as_its_owner_alone(tokens: Tokens) -> None:
    for who in (INSTRUCTOR, TRAINEE, OTHER, PRESENTER):
        assert tokens.owner(tokens.link(who).removeprefix("/enter/")) == who
    assert tokens.owner("secret") is None and tokens.owner("") is None and tokens.owner("ü") is None


def test_windows_of_one_browser_are_told_apart(tokens: Tokens) -> None:
    assert tokens.by_cookies(jar(tokens, TRAINEE, INSTRUCTOR)) == [INSTRUCTOR, TRAINEE]
    assert tokens.by_cookies({}) == []


def test_value_of_a_cookie_under_another_name_is_nobody(tokens: Tokens) -> None:
    (secret,) = jar(tokens, TRAINEE).values()
    assert tokens.by_cookies({tokens.cookie_name(INSTRUCTOR): secret, tokens.cookie_name(OTHER): secret}) == []


def test_neither_secret_stands_for_the_other(tokens: Tokens) -> None:
    link = tokens.link(TRAINEE).removeprefix("/enter/")
    (secret,) = jar(tokens, TRAINEE).values()
    assert tokens.owner(secret) is None
    assert tokens.by_cookies({tokens.cookie_name(TRAINEE): link}) == []


def test_new_link_ends_the_earlier_one_and_its_cookie(tokens: Tokens) -> None:
    link, cookies = tokens.link(TRAINEE), jar(tokens, TRAINEE, OTHER)
    tokens.renew(TRAINEE)
    assert tokens.owner(link.removeprefix("/enter/")) is None
    assert tokens.by_cookies(cookies) == [OTHER]


def test_cookie_is_for_this_site_and_no_script(tokens: Tokens) -> None:
    assert tokens.cookie(TRAINEE).endswith("; Path=/; HttpOnly; SameSite=Strict")
    assert tokens.cookie_name(TRAINEE) != Tokens(str, 8001).cookie_name(TRAINEE)


@pytest.mark.parametrize(
    "header", ["", "secret-32-0", "Basic secret-32-0", "bearer secret-32-0", "Bearer  secret-32-0"]
)
def test_program_shows_a_bearer_token(tokens: Tokens, header: str) -> None:
    token = tokens.link(INSTRUCTOR).removeprefix("/enter/")
    assert tokens.by_bearer(f"Bearer {token}") == INSTRUCTOR
    assert tokens.by_bearer(header) is None


def test_secrets_have_256_bits(tokens: Tokens) -> None:
    assert tokens.link(TRAINEE).startswith("/enter/secret-32-")


def test_trainee_sees_one_view_and_instructor_all() -> None:
    assert TRAINEE.may_see("trainee", 1)
    assert not TRAINEE.may_see("trainee", 2) and not TRAINEE.may_see("presenter", 1)
    assert not TRAINEE.may_see("instructor", 0) and not PRESENTER.may_see("trainee", 1)
    assert INSTRUCTOR.may_see("trainee", 2) and INSTRUCTOR.may_see("presenter", 1)


def test_operation_is_for_its_roles_at_their_station() -> None:
    assert TRAINEE.may_ask({"trainee"}, 1) and not TRAINEE.may_ask({"trainee"}, 2)
    assert not TRAINEE.may_ask({"presenter"}, 1) and PRESENTER.may_ask({"presenter"}, 0)
    assert INSTRUCTOR.may_ask({"instructor"}, 2)


def test_each_role_has_its_page() -> None:
    assert [who.page for who in (INSTRUCTOR, TRAINEE, PRESENTER)] == ["/", "/trainee/1", "/presenter/1"]
