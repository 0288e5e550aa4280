"""The device as a process: real time, and pty, TCP and MQTT around `firmware_sim.device`.

    options ---> service ---> real_time ---> Device
                    |             |
                    |             +--- transports: tcp, pty_line, mqtt      (bytes or publications, in and out)
                    +--- announcement, trace, report, parent                (what it says, whom it watches)

Law: the only part of the simulator that does any I/O, and nothing of the procedure is decided here.
"""
