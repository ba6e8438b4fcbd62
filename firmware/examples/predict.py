"""Five lines: a model file decides on one row of readings, on a board or on a PC."""

from dibble.inference import load

model = load("model.dib")
model.self_test()
decision = model.predict([231, 1840])  # soil moisture in permille, air temperature in 1/100 degrees
print(model.classes[decision.class_index], "margin", decision.margin, "flags", decision.flags)
