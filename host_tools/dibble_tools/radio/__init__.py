"""Models and configurations to nodes that nobody can reach: in pieces, by MQTT or LoRaWAN. models/UPDATES.md."""
