"""The check of an additive family's tables: see checks.py."""

from dibble.inference.bounds import check_scalers, within


def additive(file, family, limits, classes):
    scalers, _, _, tables, _, base = family.read(file, limits, classes)
    check_scalers(scalers, limits)
    within("score", max(base), 65535)
    for k in range(1, classes):
        within("score", base[k] + sum([max(table[k - 1]) for table in tables]), 65535)
