"""Round trips over a serial port of the network: ours by RFC 2217, our TCP, and ser2net before our pseudo-terminal."""
