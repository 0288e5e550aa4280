"""Telnet as serial ports over a network need it: its bytes, its options, and RFC 2217's serial port on top.

    bytes --> codec --> options     what the ends agree on
                   `--> com_port    requests and answers about the port --> port (a gateway's end), remote (a host's)

Law: pure; both ends are handed bytes, and say what happened and what to send.
"""
