"""Parts of `hlp1.lua`, the dissector for Wireshark and tshark.

    tables.py     what the messages are, as tables of Lua, made from the models
    *.lua         what reads bytes and JSON by those tables, in the order of `PARTS`; written by hand

Law: no Lua file names a message's field; what is said of one comes from the tables.
"""

from typing import Final

PARTS: Final = ("bytes.lua", "fields.lua", "payload.lua", "links.lua", "json.lua", "bodies.lua", "captures.lua")
"""Files of Lua behind the tables, each using only what is above it."""
