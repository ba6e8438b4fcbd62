"""What a hop of a network over rows costs on a Cortex-M0, exactly, with answers that are the host's."""

import numpy as np
from dibble_tools.bench.stream_net import AIMS, NETWORKS, codes, drawn, model_of, on_cortex_m0, products
from dibble_tools.families.stream.network import DEPTHWISE, FULL, MEAN, LayerShape
from dibble_tools.model.content import Stream

ODD = {  # inputs that are no multiple of four or eight, every kind of layer first and in the midst
    7: [
        LayerShape(FULL, 4, 2, stride=2, bits=4),
        LayerShape(FULL, 8, 3),
        LayerShape(DEPTHWISE, 8, 2, stride=3),
        LayerShape(FULL, 2, 2, bits=4),
    ],
    4: [
        LayerShape(DEPTHWISE, 4, 3),
        LayerShape(FULL, 4, 5, bits=4),
        LayerShape(MEAN, 4, 1),
        LayerShape(FULL, 12, 2, stride=2),
        LayerShape(MEAN, 12, 16),
        LayerShape(FULL, 9),
    ],
}


def test_kernels_keep_their_aims() -> None:
    for name, (inputs, shapes) in NETWORKS.items():
        aim = next((aim for kind, aim in AIMS.items() if name.startswith(kind)), None)
        if aim is None or "4 bits" in name:
            continue
        model = model_of(drawn(inputs, shapes))
        network = model.content.family
        assert isinstance(network, Stream)
        counts = on_cortex_m0(model, codes(inputs, 12))
        assert np.mean(counts.thumb) <= aim * products(network), name
        assert np.mean(counts.thumb) < np.mean(counts.gcc)
        assert np.mean(counts.thumb) < np.mean(counts.viper)


def test_layers_of_every_kind_have_the_hosts_answers() -> None:
    for inputs, shapes in ODD.items():
        on_cortex_m0(model_of(drawn(inputs, shapes, seed=inputs)), codes(inputs, 60))
