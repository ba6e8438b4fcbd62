"""What a student is about: the channels, features and class names that turn its tables into a model file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from dibble.inference.features import LAST

from dibble_tools.data.channels import Channel
from dibble_tools.data.feature_spec import FeatureSpec
from dibble_tools.families.forest import integer_trees, pages
from dibble_tools.model.golden import golden_rows
from dibble_tools.model.tables_bytes import Tables
from dibble_tools.model.writer import ModelSpec, export, keep_features

if TYPE_CHECKING:
    from dibble_tools.training.students import Student

LEAF_BYTES = 8  # of a forest that is one leaf


@dataclass(frozen=True)
class About:
    """Names and units around a data set's features.

    Attributes:
        features: none where each is the last reading of its channel.
        readings, elapsed_ms: of rows to choose golden vectors from; readings of all channels.
        stand_ins: for each channel what stands in for a missing reading, above its low; None: nothing.
    """

    name: str
    channels: list[Channel]
    features: list[FeatureSpec]
    classes: list[str]
    interval_ms: int
    readings: np.ndarray
    elapsed_ms: np.ndarray | None
    stand_ins: Sequence[int | None] = ()

    def kept(self, columns: Sequence[int]) -> list[int]:
        """Return the channels that features `columns` need, ascending."""
        return sorted({c for i in columns for c in (self.features[i].channels if self.features else (i,))})

    def spec(self, tables: Tables, columns: Sequence[int], **settings: Any) -> ModelSpec:
        """Return the content of the model file of tables over features `columns`, in that order.

        Args:
            settings: further fields of ModelSpec.
        """
        features = self.features
        if not features and list(columns) != sorted(set(columns)):  # a feature coded in several parts
            features = [FeatureSpec(i, LAST, 1) for i in range(len(self.channels))]
        places, channels, kept = keep_features(self.channels, features, columns)
        settings |= {"stand_ins": [self.stand_ins[i] for i in places]} if self.stand_ins else {}
        return ModelSpec(self.name, channels, self.classes, tables, kept, interval_ms=self.interval_ms, **settings)

    def blob(self, spec: ModelSpec, columns: Sequence[int], golden: int = 8, *, odd: bool = True) -> bytes:
        """Return the model file with up to `golden` golden vectors and, with `odd`, the two odd ones."""
        readings = self.readings[:, self.kept(columns)]
        return export(spec, golden_rows(spec, readings, self.elapsed_ms, golden, odd=odd))

    def names_bytes(self, order: Sequence[int]) -> list[int]:
        """Return what a model of the first 1, 2, ... features of `order` takes, but for its tables."""
        sizes = []
        for count in range(1, len(order) + 1):
            columns = sorted(order[:count])
            answer = pages.pack(integer_trees.IntegerTrees([], [-1], len(self.classes)), count)
            spec = self.spec(answer, columns)
            middle = [[(c.low + c.high) // 2 for c in spec.channels]]
            sizes.append(len(export(spec, middle)) - count - LEAF_BYTES)
        return sizes

    def smallest_blob(self, student: "Student") -> bytes:
        """Return a student's model file with the fewest golden vectors, as the tuner weighs it."""
        return self.blob(self.spec(student.tables, student.columns), student.columns, 1, odd=False)
