#!/usr/bin/env bash
# what: Mosquitto 2.0.11 does not tie wills to connections and sessions as MQTT 5 does. A client takes over the kept
#   session of another connection: that connection's will, which has no delay, is never published. A connection whose
#   session ends with it is cut off: its will waits for the whole delay. Nor is the first client told that its place was
#   taken: MQTT 5 has DISCONNECT with reason 0x8E for that, and none comes.
# expected: MQTT 5, 3.1.2 (Will Flag) and 3.1.4: a will without delay is published when its connection is closed, by a
#   takeover as well; a delay is cut short by the end of the session.
# versions: Mosquitto 2.0.11, paho-mqtt 2.2.0, Python 3.11
# packages: paho-mqtt==2.2.0
# reported: https://github.com/eclipse-mosquitto/mosquitto/issues/3509 and 3505 of the same
# seen:
#   taken over, session of 0 s, will without delay: will published; DISCONNECT: none
#   taken over, session of 60 s, will without delay: no will; DISCONNECT: none
#   cut off, session of 60 s, will without delay: will at once
#   cut off, session of 0 s, will with a delay of 3 s: will after its delay
. "$(dirname "$0")/finding.bash"
broker
observe <<'PYTHON'
import os
import queue
import socket
import time

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PATIENCE_S = 10


def client(name, *, session_s=0, delay_s=None):
    """A connected client, its own events in `events`."""
    made = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, name, protocol=mqtt.MQTTv5, reconnect_on_failure=False)
    made.events = queue.Queue()
    made.on_connect = lambda *_: made.events.put("connected")
    made.on_subscribe = lambda *_: made.events.put("granted")
    made.on_message = lambda _, __, message: made.events.put(message.topic)
    made.on_disconnect = lambda _, __, flags, *rest: made.events.put(
        "DISCONNECT: " + ("one" if flags.is_disconnect_packet_from_server else "none")
    )
    if delay_s is not None:
        will = Properties(PacketTypes.WILLMESSAGE)
        will.WillDelayInterval = delay_s
        made.will_set(f"will/{name}", qos=1, properties=will)
    session = Properties(PacketTypes.CONNECT)
    session.SessionExpiryInterval = session_s
    made.connect("127.0.0.1", int(os.environ["BROKER_PORT"]), clean_start=False, properties=session)
    made.loop_start()
    assert made.events.get(timeout=PATIENCE_S) == "connected"
    return made


watcher = client("watcher")
watcher.subscribe([("will/#", 1), ("mark", 1)])
assert watcher.events.get(timeout=PATIENCE_S) == "granted"


def taken_over(session_s):
    name = f"taken-{session_s}"
    first = client(name, session_s=session_s, delay_s=0)
    second = client(name, session_s=session_s)
    told = first.events.get(timeout=PATIENCE_S)
    watcher.publish("mark", qos=1)  # what the broker published at the takeover comes before it
    will = "no will"
    while (topic := watcher.events.get(timeout=PATIENCE_S)) != "mark":
        assert topic == f"will/{name}"
        will = "will published"
    print(f"taken over, session of {session_s} s, will without delay: {will}; {told}")
    second.disconnect()
    first.loop_stop()


def cut_off(session_s, delay_s):
    name = f"cut-{session_s}"
    lost = client(name, session_s=session_s, delay_s=delay_s)
    begun = time.monotonic()
    lost.socket().shutdown(socket.SHUT_RDWR)
    assert watcher.events.get(timeout=PATIENCE_S) == f"will/{name}"
    waited = time.monotonic() - begun >= 1.5
    delay = f"with a delay of {delay_s} s" if delay_s else "without delay"
    print(f"cut off, session of {session_s} s, will {delay}: will {'after its delay' if waited else 'at once'}")
    lost.loop_stop()


taken_over(0)
taken_over(60)
cut_off(60, 0)
cut_off(0, 3)
watcher.disconnect()
PYTHON
