#!/bin/sh
# Installs what the tests run and compile with, where it is missing, or says how to: the micro:bit's emulator and firmware,
# an MQTT broker, a PostgreSQL server for the fleet's database, Chromium to click through the studio (80 MB to load); and for
# `dibble export` C compilers and a simulator (120 MB): some minutes, once.
firmware=/usr/share/firmware-microbit-micropython/firmware.hex
arduino=/usr/share/arduino/hardware/arduino/avr/cores/arduino/Arduino.h
packages="qemu-system-arm firmware-microbit-micropython mosquitto"
# Without what they recommend: 300 MB of C++ for ARM.
lean="postgresql chromium chromium-driver gcc libc6-dev gcc-avr avr-libc simavr gcc-arm-none-eabi libnewlib-arm-none-eabi arduino-core-avr"
PATH=$PATH:/usr/sbin
missing=""
for command in qemu-system-arm mosquitto chromium chromedriver gcc avr-gcc simavr arm-none-eabi-gcc; do
    command -v $command >/dev/null || missing="$missing $command"
done
[ -n "$(ls /usr/lib/postgresql/*/bin/postgres 2>/dev/null)" ] || command -v postgres >/dev/null || missing="$missing postgres"
for file in "$firmware" "$arduino"; do [ -f "$file" ] || missing="$missing $file"; done
if [ -z "$missing" ]; then exit 0; fi
echo "== installing emulators, an MQTT broker, PostgreSQL, Chromium and C compilers: missing$missing"
if ! command -v apt-get >/dev/null; then
    echo "expected apt-get to install $packages $lean with, found none: install them by hand"
    exit 0
fi
if [ "$(id -u)" = 0 ]; then sudo=""; elif command -v sudo >/dev/null; then sudo=sudo; else
    echo "expected root or sudo; install them with: apt-get install $packages $lean"
    exit 0
fi
quiet="env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq"
$sudo apt-get update -qq && $sudo $quiet $packages >/dev/null && $sudo $quiet --no-install-recommends $lean >/dev/null ||
    echo "the installation failed; try by hand: apt-get install $packages $lean"
exit 0
