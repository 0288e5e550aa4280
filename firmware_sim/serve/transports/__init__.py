"""The served device's ports: TCP, pseudo-terminal, MQTT."""
