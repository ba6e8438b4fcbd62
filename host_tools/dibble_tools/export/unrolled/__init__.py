"""A model as straight-line Python: what a bytecode interpreter runs fastest, made from the model file.

    judge(), novel()    generators whose send(row) returns winner | margin << 8, or -1: see firmware's predictor.py

A node takes such a module beside the model file (`load("model.dib", code)`), which stays what counts: the
module names the file's CRC-32, and the file's golden vectors are replayed through it.
"""

from dibble_tools.export.unrolled.module import TABLES as TABLES
from dibble_tools.export.unrolled.module import deciding as deciding
from dibble_tools.export.unrolled.module import unrolled_source as unrolled_source
