"""HLP/1, the Handpiece Link Protocol: messages, their bytes, and the exchange between two ends.

Law: nothing here does I/O, reads a clock, draws a random number or logs. Both ends use this one code.

Reading order: `language.messages` (what can be said), `serial.payload` (a message as bytes), `serial.framing` (payloads
as checked frames), `link.exchange` and its two ends (set-up, request and reply, retry, heartbeat, lease). Then MQTT:
`mqtt.topics` (where a message goes), `mqtt.bodies` (a message as JSON), `mqtt.wire` (the exchange's other wire),
`mqtt.broker` (what a broker is asked). `published` makes of all this what other languages read.
"""
