"""On a PC: a forest of scikit-learn's becomes a model file that a node runs. Writes model.dib beside where you are.

    pip install 'dibble[train]'
    python scikit_learn_model.py

The readings are made up here; take your own from a CSV. Columns are channels: whole numbers in the unit that the
node's sensor gives, as `dibble drivers` lists them.
"""

import numpy as np
import pandas as pd
from dibble_tools import convert
from sklearn.ensemble import RandomForestClassifier

chance = np.random.default_rng(1)
readings = pd.DataFrame(
    {
        "soil_moisture_permille": chance.integers(100, 600, 3000),
        "air_temperature_centi_c": chance.integers(-800, 3500, 3000),
    }
)
thirst = readings.soil_moisture_permille - readings.air_temperature_centi_c // 50 + chance.normal(0, 20, 3000)
labels = np.where(readings.air_temperature_centi_c < 50, "frost", np.where(thirst < 280, "irrigate", "ok"))

forest = RandomForestClassifier(10, max_leaf_nodes=12, random_state=1).fit(readings.to_numpy(), labels)
model = convert(forest, readings, name="bed", unsure_below=3)
model.save("model.dib")
print(model)
