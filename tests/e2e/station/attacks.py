"""The attack corpus: requests and messages that no page of the station sends, as data. None may be accepted.

Each is a name, and what is sent. In a text, ${port} is the server's; ${instructor}, ${trainee}, ${other} (of station 2)
and ${presenter} are the tokens of links, ${old} is that of a link that was renewed; ${cookie}, ${trainee_cookie} and
${old_cookie} are those of browsers that came in.
"""

from typing import Final

HEAD: Final = "Host: 127.0.0.1:${port}\r\n"
ORIGIN: Final = "Origin: http://127.0.0.1:${port}\r\n"
BEARER: Final = "Authorization: Bearer ${instructor}\r\n"
COOKIE: Final = "Cookie: ${cookie}\r\n"
JSON: Final = "Content-Type: application/json\r\n"
LIST: Final = "GET /api/stations HTTP/1.1\r\n"
"""What an instructor may ask for, in whatever way he shows that he is one."""
RIGHT: Final = {
    "program": LIST + HEAD + BEARER,
    "program with the page's origin": LIST + HEAD + BEARER + ORIGIN,
    "page": LIST + HEAD + COOKIE,
    "localhost": LIST + "Host: localhost:${port}\r\n" + BEARER,
    "asset": "GET /pages/common.css HTTP/1.1\r\n" + HEAD,
    "link": "GET /enter/${instructor} HTTP/1.1\r\n" + HEAD,
}
"""Requests that are accepted, or the corpus would be met by a server that refuses everything."""


def _host(host: str) -> str:
    return LIST + "Host: " + host + "\r\n" + BEARER


def _post(path: str, body: str, *, kind: str = JSON, who: str = BEARER) -> str:
    return f"POST {path} HTTP/1.1\r\n" + HEAD + who + kind + f"Content-Length: {len(body.encode())}\r\n\r\n" + body


def _pace(who: str) -> str:
    """Return a request that sets a pace, which has no other guard than who asks."""
    return _post("/api/stations/1/pace", '{"running": true}', who=who)


def _start(body: str) -> str:
    return _post("/api/stations", body)


HOSTS: Final = {
    "host of a look-alike below a real domain": _host("localhost.evil.example:${port}"),
    "host of another site, as after DNS rebinding": _host("evil.example:${port}"),
    "host of a public name for the loopback": _host("127.0.0.1.nip.io:${port}"),
    "host with a dot at its end": _host("localhost.:${port}"),
    "host in capitals": _host("LOCALHOST:${port}"),
    "host without the port": _host("127.0.0.1"),
    "host with another port": _host("127.0.0.1:80"),
    "host as a short address": _host("127.1:${port}"),
    "host as a number": _host("2130706433:${port}"),
    "host as a hexadecimal number": _host("0x7f000001:${port}"),
    "host as an octal address": _host("0177.0.0.1:${port}"),
    "host of another loopback address": _host("127.0.0.2:${port}"),
    "host of the other loopback": _host("[::1]:${port}"),
    "host of an address of another machine": _host("192.0.2.7:${port}"),
    "host with a user": _host("127.0.0.1:${port}@evil.example"),
    "host with a path": _host("127.0.0.1:${port}/x"),
    "host that is empty": _host(""),
    "host that is missing": LIST + BEARER,
    "host that is missing in HTTP/1.0": "GET /api/stations HTTP/1.0\r\n" + BEARER,
    "two hosts": LIST + HEAD + "Host: evil.example\r\n" + BEARER,
    "host by X-Forwarded-Host": _host("evil.example") + "X-Forwarded-Host: 127.0.0.1:${port}\r\n",
    "host by Forwarded": _host("evil.example") + "Forwarded: host=127.0.0.1:${port}\r\n",
}
TARGETS: Final = {
    "whole URL of another site": "GET http://evil.example/api/stations HTTP/1.1\r\n" + HEAD + BEARER,
    "whole URL of this server": "GET http://127.0.0.1:${port}/api/stations HTTP/1.1\r\n" + HEAD + BEARER,
    "path of two slashes": "GET //api/stations HTTP/1.1\r\n" + HEAD + BEARER,
    "tunnel": "CONNECT 127.0.0.1:22 HTTP/1.1\r\n" + HEAD + BEARER,
    "asterisk": "OPTIONS * HTTP/1.1\r\n" + HEAD + BEARER,
    "preflight of another site": "OPTIONS /api/stations HTTP/1.1\r\n" + HEAD + "Origin: http://evil.example\r\n"
    "Access-Control-Request-Method: POST\r\n",
    "trace": "TRACE /api/stations HTTP/1.1\r\n" + HEAD + BEARER,
    "upload of a file": "PUT /pages/common.js HTTP/1.1\r\n" + HEAD + BEARER + "Content-Length: 1\r\n\r\nx",
    "file by dots": "GET /pages/../app.py HTTP/1.1\r\n" + HEAD + BEARER,
    "file by escaped dots": "GET /pages/%2e%2e%2fapp.py HTTP/1.1\r\n" + HEAD + BEARER,
    "file by twice escaped dots": "GET /pages/%252e%252e%252fapp.py HTTP/1.1\r\n" + HEAD + BEARER,
    "file by backslashes": "GET /pages/..%5capp.py HTTP/1.1\r\n" + HEAD + BEARER,
    "file by its whole path": "GET /pages//etc/passwd HTTP/1.1\r\n" + HEAD + BEARER,
    "file by a null byte": "GET /pages/common.css%00.html HTTP/1.1\r\n" + HEAD + BEARER,
    "source of the package": "GET /pages/__init__.py HTTP/1.1\r\n" + HEAD + BEARER,
    "station beyond all": "GET /api/stations/999999999999999999999999 HTTP/1.1\r\n" + HEAD + BEARER,
    "station below all": "GET /api/stations/-1 HTTP/1.1\r\n" + HEAD + BEARER,
    "lesson by dots": "GET /debrief/..%2f..%2fetc%2fpasswd HTTP/1.1\r\n" + HEAD + BEARER,
    "station of five thousand digits": "GET /api/stations/" + "9" * 5_000 + " HTTP/1.1\r\n" + HEAD + BEARER,
    "lesson of five thousand digits": "GET /debrief/" + "9" * 5_000 + " HTTP/1.1\r\n" + HEAD + BEARER,
    "target of a megabyte": "GET /" + "a" * 1_000_000 + " HTTP/1.1\r\n" + HEAD + BEARER,
    "header of a megabyte": LIST + HEAD + BEARER + "X: " + "a" * 1_000_000 + "\r\n",
    "ten thousand headers": LIST + HEAD + BEARER + "X: a\r\n" * 10_000,
    "carriage return in a header": LIST + HEAD + "X: a\rAuthorization: Bearer ${instructor}\r\n",
    "method by a header": "GET /api/stations/1/pace HTTP/1.1\r\n" + HEAD + BEARER + "X-HTTP-Method-Override: POST\r\n",
    "no HTTP at all": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}
ORIGINS: Final = {
    "page of another site that writes": _pace(COOKIE + "Origin: http://evil.example\r\n"),
    "page in a sandbox that writes": _pace(COOKIE + "Origin: null\r\n"),
    "page of another port that writes": _pace(COOKIE + "Origin: http://127.0.0.1:1\r\n"),
    "page of another scheme that writes": _pace(COOKIE + "Origin: https://127.0.0.1:${port}\r\n"),
    "page of the other name that writes": _pace(COOKIE + "Origin: http://localhost:${port}\r\n"),
    "page of a look-alike that writes": _pace(COOKIE + "Origin: http://127.0.0.1:${port}.evil.example\r\n"),
    "page without an origin that writes": _pace(COOKIE),
    "page with the referrer alone that writes": _pace(COOKIE + "Referer: http://127.0.0.1:${port}/\r\n"),
    "page with two origins that writes": _pace(COOKIE + ORIGIN + "Origin: http://evil.example\r\n"),
    "foreign page that has a token": _pace(BEARER + "Origin: http://evil.example\r\n"),
    "foreign page that reads": LIST + HEAD + COOKIE + "Origin: http://evil.example\r\n",
    "form of another site": _post("/api/stations/1/reset", "a=b", who=COOKIE + "Origin: http://evil.example\r\n",
                                  kind="Content-Type: application/x-www-form-urlencoded\r\n"),
}  # fmt: skip
TOKENS: Final = {
    "no token": LIST + HEAD,
    "empty token": LIST + HEAD + "Authorization: Bearer \r\n",
    "token without its last letter": LIST + HEAD + "Authorization: Bearer ${short}\r\n",
    "token in other case": LIST + HEAD + "Authorization: Bearer ${swapped}\r\n",
    "token with a letter more": LIST + HEAD + "Authorization: Bearer ${instructor}A\r\n",
    "token as a password": LIST + HEAD + "Authorization: Basic ${instructor}\r\n",
    "two tokens": LIST + HEAD + "Authorization: Bearer ${trainee}\r\n" + BEARER,
    "token in the query": "GET /api/stations?token=${instructor} HTTP/1.1\r\n" + HEAD,
    "token in a header with an underscore": LIST + HEAD + "Author_ization: Bearer ${instructor}\r\n",
    "token of a link that was renewed": LIST + HEAD + "Authorization: Bearer ${old}\r\n",
    "link that was renewed": "GET /enter/${old} HTTP/1.1\r\n" + HEAD,
    "cookie of a link that was renewed": "GET /presenter/1 HTTP/1.1\r\n" + HEAD + "Cookie: ${old_cookie}\r\n",
    "token of a link as a cookie": LIST + HEAD + "Cookie: ${cookie_name}=${instructor}\r\n",
    "secret of a cookie as a token": LIST + HEAD + "Authorization: Bearer ${cookie_secret}\r\n",
    "secret of a cookie as a link": "GET /enter/${cookie_secret} HTTP/1.1\r\n" + HEAD,
    "cookie of a trainee under the instructor's name": LIST + HEAD + "Cookie: ${cookie_name}=${trainee_secret}\r\n",
    "bad token beside a good cookie": LIST + HEAD + COOKIE + "Authorization: Bearer ${old}\r\n",
    "link that nobody has": "GET /enter/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA HTTP/1.1\r\n" + HEAD,
    "trainee lists the class": LIST + HEAD + "Authorization: Bearer ${trainee}\r\n",
    "trainee sees another's links": "GET /api/stations/2 HTTP/1.1\r\n" + HEAD + "Authorization: Bearer ${trainee}\r\n",
    "trainee opens the instructor's page": "GET /instructor/1 HTTP/1.1\r\n" + HEAD + "Cookie: ${trainee_cookie}\r\n",
    "trainee opens another's page": "GET /trainee/2 HTTP/1.1\r\n" + HEAD + "Cookie: ${trainee_cookie}\r\n",
    "trainee opens the presenter's page": "GET /presenter/1 HTTP/1.1\r\n" + HEAD + "Cookie: ${trainee_cookie}\r\n",
    "trainee runs the lesson": _pace("Authorization: Bearer ${trainee}\r\n"),
    "trainee reads the debrief": "GET /debrief/1 HTTP/1.1\r\n" + HEAD + "Authorization: Bearer ${trainee}\r\n",
    "trainee saves the moment": "GET /api/stations/1/moment HTTP/1.1\r\n" + HEAD + "Cookie: ${trainee_cookie}\r\n",
    "trainee at another station": _post("/api/stations/1/acts", '{"name": "stop"}',
                                        who="Authorization: Bearer ${other}\r\n"),
    "trainee starts a lesson": _post("/api/stations", '{"scenario": "normal-session"}',
                                     who="Authorization: Bearer ${trainee}\r\n"),
    "presenter goes back": _post("/api/stations/1/rewind", '{"to_ms": 0}',
                                 who="Authorization: Bearer ${presenter}\r\n"),
    "presenter begins again": _post("/api/stations/1/reset", "{}", who="Authorization: Bearer ${presenter}\r\n"),
    "presenter lists the class": LIST + HEAD + "Authorization: Bearer ${presenter}\r\n",
    "presenter makes a link": _post("/api/stations/1/link", '{"view": "trainee"}',
                                    who="Authorization: Bearer ${presenter}\r\n"),
}  # fmt: skip
BODIES: Final = {
    "body that is said to have 100 MB": "POST /api/stations HTTP/1.1\r\n" + HEAD + BEARER + JSON
    + "Content-Length: 104857600\r\n\r\n",
    "body of a negative length": "POST /api/stations HTTP/1.1\r\n" + HEAD + BEARER + JSON
    + "Content-Length: -1\r\n\r\n",
    "body of two lengths": "POST /api/stations HTTP/1.1\r\n" + HEAD + BEARER + JSON
    + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "body of a length and of chunks": "POST /api/stations/1/pace HTTP/1.1\r\n" + HEAD + BEARER + JSON
    + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n{\"running\": true}\r\n0\r\n\r\n",
    "body as a plain text": _post("/api/stations/1/pace", '{"running": true}', kind="Content-Type: text/plain\r\n"),
    "body as a form": _post("/api/stations/1/pace", "running=true",
                            kind="Content-Type: application/x-www-form-urlencoded\r\n"),
    "body that is no JSON": _start("{"),
    "body that is a list": _start("[]"),
    "body that is nested 50,000 deep": _start('{"scenario": ' + "[" * 50_000 + "]" * 50_000 + "}"),
    "number of 5,000 digits": _start('{"scenario": "normal-session", "seed": ' + "9" * 5_000 + "}"),
    "number that is none": _post("/api/stations/1/pace", '{"speed": NaN}'),
    "speed beyond all": _post("/api/stations/1/pace", '{"speed": 1e308}'),
    "key that there is not": _post("/api/stations/1/pace", '{"running": true, "__class__": 1}'),
    "scenario by dots": _start('{"scenario": "../../../../etc/passwd"}'),
    "scenario by its whole path": _start('{"scenario": "/etc/passwd"}'),
    "scenario with a tag of Python": _start('{"text": "name: !!python/object/apply:os.system [true]"}'),
    "scenario of a million aliases": _start('{"text": "a: &a [x,x,x,x,x,x,x,x,x]\\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\\n'
                                            'name: [*b,*b,*b,*b,*b,*b,*b,*b]"}'),
    "scenario of 200 KiB": _start('{"text": "' + "a" * 200_000 + '"}'),
    "name of 10,000 letters": _start('{"scenario": "normal-session", "trainee": "' + "a" * 10_000 + '"}'),
    "lesson of the log that is no number": _start('{"resume": "1; DROP TABLE lessons"}'),
    "lesson that the log does not have": _start('{"resume": 987654}'),
    "act that there is not": _post("/api/stations/1/acts", '{"name": "__init__"}'),
    "act of the server": _post("/api/stations/1/acts", '{"name": "trigger_release", "arguments": {"why": "x"}}'),
    "fault by a trainee": _post("/api/stations/1/acts", '{"name": "note", "arguments": {"text": "x"}}',
                                who="Authorization: Bearer ${trainee}\r\n"),
}  # fmt: skip
REQUESTS: Final = {**HOSTS, **TARGETS, **ORIGINS, **TOKENS, **BODIES}

RESUME: Final = '{"type": "resume", "last": 0}'
MESSAGES: Final = {
    "act before the resume": ['{"type": "act", "id": 1, "name": "stop"}'],
    "resume of no number": ['{"type": "resume", "last": "0"}'],
    "resume of a truth": ['{"type": "resume", "last": true}'],
    "no JSON": [RESUME, "{"],
    "a list": [RESUME, "[]"],
    "a message of no type": [RESUME, "{}"],
    "a type that there is not": [RESUME, '{"type": "inject"}'],
    "two resumes": [RESUME, RESUME],
    "act of no id": [RESUME, '{"type": "act", "name": "stop"}'],
    "act of an id of words": [RESUME, '{"type": "act", "id": {}, "name": "stop"}'],
    "nesting of 5,000": [
        RESUME,
        '{"type": "act", "id": 1, "name": "stop", "arguments": ' + "[" * 5_000 + "]" * 5_000 + "}",
    ],
    "number that is none": [RESUME, '{"type": "act", "id": NaN, "name": "stop"}'],
    "message of 20 KiB": [RESUME, '{"type": "' + "a" * 20_000 + '"}'],
    "100,000 messages": [RESUME, *['{"type": "hold"}'] * 100_000],
}
"""Messages of a trainee's socket; the last one is not taken, and the socket ends."""
ACTS: Final = {
    "trainee injects a fault": ("inject", {"fault": {"fault": "leak", "kpa_per_s": 25}}),
    "trainee fires the script": ("fire", {"item": "leak"}),
    "trainee judges himself": ("override", {"check": "stops", "passed": True, "reason": "x"}),
    "trainee lets the automatic operator work": ("automatic", {"on": True}),
    "trainee releases as the server": ("trigger_release", {"why": "because"}),
    "act of another type": (["stop"], {}),
    "act with more arguments": ("stop", {"view": "instructor"}),
    "act with a time of its own": ("stop", {"at_us": 0}),
    "zone beyond all": ("anesthesia_start", {"zone": 10**30}),
    "text in place of a zone": ("anesthesia_start", {"zone": "1"}),
}
"""Acts of a trainee's socket that are refused in words; the socket stays."""
