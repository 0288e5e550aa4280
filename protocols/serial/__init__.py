"""HLP/1 on a serial line: frames in a stream of bytes, and what spoils them on their way."""
