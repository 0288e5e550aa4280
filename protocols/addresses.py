"""Network addresses: how one is written, and whether it is of this machine alone.

Law: pure. A name is judged as it is written, and never looked up.
"""

from ipaddress import ip_address


def format_address(host: str, port: int) -> str:
    """Host and port, as in a URL: IPv6 in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether a name or an address without brackets leads to this machine; of names only localhost does."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
