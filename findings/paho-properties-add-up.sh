#!/usr/bin/env bash
# what: Assigning to a property of paho's `Properties` replaces the value, except where MQTT 5 lets some packet have
#   several of it: there the new value joins the old one. One object kept for many publications sends one more user
#   property each time. One kept for two subscriptions sends two subscription identifiers, which no SUBSCRIBE may have,
#   and Mosquitto ends the connection; paho, which knows the packet's type, does not object.
# expected: `properties.X = value` and then reading X gives that value.
# versions: paho-mqtt 2.2.0, Mosquitto 2.0.11, Python 3.11
# packages: paho-mqtt==2.2.0
# reported: not found
# seen:
#   a property of which there is one: assigned 1, then 2: 2
#   user property, assigned before each of three publications, arrives as
#     [('number', '1')]
#     [('number', '1'), ('number', '2')]
#     [('number', '1'), ('number', '2'), ('number', '3')]
#   subscription identifier, assigned before each of two subscriptions
#     1: granted
#     2: sent [1, 2]; the broker has ended the connection
. "$(dirname "$0")/finding.bash"
broker
observe <<'PYTHON'
import os
import queue

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

events = queue.Queue()
client = mqtt.Client(
    mqtt.CallbackAPIVersion.VERSION2, "bench", protocol=mqtt.MQTTv5, reconnect_on_failure=False
)
client.on_connect = lambda *_: events.put("connected")
client.on_subscribe = lambda *_: events.put("granted")
client.on_disconnect = lambda *_: events.put("the broker has ended the connection")
client.on_message = lambda _, __, message: events.put(message.properties.UserProperty)


def event():
    return events.get(timeout=10)


client.connect("127.0.0.1", int(os.environ["BROKER_PORT"]))
client.loop_start()
event()
client.subscribe("result", qos=1)
event()

kept = Properties(PacketTypes.PUBLISH)
kept.MessageExpiryInterval = 1
kept.MessageExpiryInterval = 2
print("a property of which there is one: assigned 1, then 2:", kept.MessageExpiryInterval)

kept = Properties(PacketTypes.PUBLISH)
print("user property, assigned before each of three publications, arrives as")
for number in ("1", "2", "3"):
    kept.UserProperty = ("number", number)
    client.publish("result", qos=1, properties=kept)
    print(" ", event())

kept = Properties(PacketTypes.SUBSCRIBE)
print("subscription identifier, assigned before each of two subscriptions")
kept.SubscriptionIdentifier = 1
client.subscribe("one", properties=kept)
print("  1:", event())
kept.SubscriptionIdentifier = 2
client.subscribe("two", properties=kept)
print(f"  2: sent {kept.SubscriptionIdentifier};", event())
client.loop_stop()
PYTHON
