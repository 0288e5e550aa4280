"""What `make docs` judges its site by finds each way to load something from another host."""

from pathlib import Path

import pytest

from tests.architecture.offline import faults

ELSEWHERE = "//cdn.example/a"


@pytest.mark.parametrize(
    "text",
    [
        f'<script src="https:{ELSEWHERE}.js"></script>',
        f'<script src="{ELSEWHERE}.js"></script>',
        f'<link rel="stylesheet" href="https:{ELSEWHERE}.css">',
        f'<link rel="preconnect" href="https:{ELSEWHERE}">',
        f'<link rel="icon" href="https:{ELSEWHERE}.png">',
        f'<img src="https:{ELSEWHERE}.png">',
        f'<img srcset="https:{ELSEWHERE}.png 2x">',
        f'<iframe src="https:{ELSEWHERE}"></iframe>',
        f'<svg><image href="https:{ELSEWHERE}.png"/></svg>',
        f'<style>@import "https:{ELSEWHERE}.css";</style>',
        f'<p style="background: url(https:{ELSEWHERE}.png)">',
        f'<script>import("https:{ELSEWHERE}.js")</script>',
        f'<meta http-equiv="refresh" content="0; url=https:{ELSEWHERE}">',
        '<img src="gone.png">',
    ],
)
def test_a_page_that_loads_from_elsewhere_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    (fault,) = faults(tmp_path)
    assert fault.startswith("page.html loads ")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.css", "@font-face { src: url('https://fonts.example/a.woff2') }"),
        ("a.js", 'fetch("https://api.example/v1")'),
        ("a.svg", "<svg><style>@import url(//fonts.example/a.css);</style></svg>"),
    ],
)
def test_a_file_that_loads_from_elsewhere_is_named(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert [fault.partition(" ")[0] for fault in faults(tmp_path)] == [name]


def test_links_namespaces_and_comments_load_nothing(tmp_path: Path) -> None:
    (tmp_path / "here.css").write_text("/* url(https://a.example/b) */ p { color: red }", encoding="utf-8")
    (tmp_path / "a.js").write_text('// "https://a.example/b"\nx = "http://www.w3.org/2000/svg"', encoding="utf-8")
    (tmp_path / "page.html").write_text(
        '<link rel="stylesheet" href="here.css?v=1"><a href="https://a.example/b">there</a><img src="data:image/png,">',
        encoding="utf-8",
    )
    assert not list(faults(tmp_path))
