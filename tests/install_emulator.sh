#!/bin/sh
# Installs the micro:bit's emulator and firmware, and the MQTT broker of the tests, where they are missing, or says how to.
firmware=/usr/share/firmware-microbit-micropython/firmware.hex
packages="qemu-system-arm firmware-microbit-micropython mosquitto"
PATH=$PATH:/usr/sbin
if command -v qemu-system-arm >/dev/null && [ -f "$firmware" ] && command -v mosquitto >/dev/null; then exit 0; fi
echo "== installing the emulated micro:bit and an MQTT broker: $packages"
if ! command -v apt-get >/dev/null; then
    echo "expected apt-get to install $packages with, found none: install them by hand ($firmware must exist)"
    exit 0
fi
if [ "$(id -u)" = 0 ]; then sudo=""; elif command -v sudo >/dev/null; then sudo=sudo; else
    echo "expected root or sudo; install them with: apt-get install $packages"
    exit 0
fi
$sudo apt-get update -qq && $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $packages >/dev/null ||
    echo "the installation failed; try by hand: apt-get install $packages"
exit 0
