"""HLP/1 on MQTT 5: topics, JSON bodies, properties, and what a broker has to do for it."""
