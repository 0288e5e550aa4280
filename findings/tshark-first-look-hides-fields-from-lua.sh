#!/usr/bin/env bash
# what: A dissector in Lua asks for a field of a lower protocol by Field.new, here the interface of a packet. tshark gives
#   it. With -2, which reads all packets twice so that an earlier one can tell of a later one, the field is not there in
#   the first look, in which a dissector has to note what belongs together. It is there if a filter of that first look,
#   -R, names the field, whatever the filter says.
# expected: A field that a script has declared before the capture is opened is there in each look, as it is without -2.
# versions: tshark 4.0.17 with Lua 5.2, python-pcapng 2.1.1 as the writer, Python 3.11
# packages: python-pcapng==2.1.1
# reported: not found
# seen:
#   one look: 0 1
#   two looks: nil nil 0 1
#   two looks, -R 'frame.interface_id >= 0': 0 1 0 1
. "$(dirname "$0")/finding.bash"
need tshark
observe <<'PYTHON'
import os
import subprocess
from pathlib import Path

import pcapng
from pcapng import blocks

USER0 = 147  # a link type for one's own use

Path("shows.lua").write_text("""
local shows = Proto("shows", "Shows an interface")
local interface = Field.new("frame.interface_id")
function shows.dissector(tvb, pinfo, tree)
  local found = interface()
  local file = io.open("looks.txt", "a")
  file:write(found and tostring(found.value) or "nil", "\\n")
  file:close()
end
DissectorTable.get("wtap_encap"):add(wtap.USER0, shows)
""")
section = blocks.SectionHeader(endianness="<")
for _ in range(2):
    section.new_member(blocks.InterfaceDescription, link_type=USER0)
with open("in.pcapng", "wb") as file:
    writer = pcapng.FileWriter(file, section)
    for interface in range(2):
        packet = section.new_member(blocks.EnhancedPacket, interface_id=interface)
        packet.packet_data = b"data"
        writer.write_block(packet)

FILTER = "frame.interface_id >= 0"
RUNS = {"one look": (), "two looks": ("-2",), f"two looks, -R '{FILTER}'": ("-2", "-R", FILTER)}
for name, options in RUNS.items():
    Path("looks.txt").write_text("")
    line = ("tshark", "-X", "lua_script:shows.lua", "-r", "in.pcapng", "-V", *options)
    subprocess.run(line, env={**os.environ, "HOME": os.getcwd()}, capture_output=True, timeout=30, check=True)
    print(f"{name}:", *Path("looks.txt").read_text().split())
PYTHON
