"""HLP/1, the Handpiece Link Protocol: messages, their bytes, and the exchange between two ends.

Law: nothing here does I/O, reads a clock, draws a random number or logs. Both ends use this one code.

Reading order: `messages` (what can be said), `wire` (a message as payload bytes), `framing` (a payload as
a checked frame), `exchange` (set-up, request and reply, retry, heartbeat, lease). Then MQTT: `topics` (where a
message goes), `bodies` (a message as JSON), `mqtt` (the exchange's other wire), `mqtt_calls` (what a broker is asked).
"""
