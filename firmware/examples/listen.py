"""A model that hears, as `dibble train CLIPS/ --sound` makes it, and an I2S microphone (INMP441, ICS-43434 ...)."""

from dibble.inference import load
from dibble.senses.listener import Listener
from machine import I2S, Pin

model = load("model.dib")
model.self_test()
names = model.classes
ear = Listener(model)
microphone = I2S(
    0,
    sck=Pin(16),
    ws=Pin(17),
    sd=Pin(18),
    mode=I2S.RX,
    bits=16,
    format=I2S.MONO,
    rate=ear.rate_hz,
    ibuf=16 * len(ear.into),  # eight hops: what is spoken while a decision is made isn't lost
)
held = None
while True:
    microphone.readinto(ear.into)
    decision = ear.hear()
    if not decision or decision.flags:
        continue
    if ear.each_hop:  # a network over the stream decides many times a second: told is what it holds anew
        if decision.held_index == held:
            continue
        held = decision.held_index
    print(names[decision.class_index], "margin", decision.margin)
