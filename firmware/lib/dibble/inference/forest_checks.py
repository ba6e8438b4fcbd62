"""The check of a forest's tables: see checks.py. Apart, so that a board which compiles it has room for either."""

from dibble.inference.bounds import within
from dibble.inference.fixed_point import READING_LIMIT


def forest(file, family, limits, classes):
    layout, tables = family.read(file, limits, classes)
    features, codes, lefts, rights, starts, children, leaves_end, trees, owners, amounts, base = tables
    page = len(starts)
    within("trees", trees, page)
    most = [-1] * len(limits)  # code of each feature
    for feature, width, at, count in layout:
        within("thresholds", count, 255)
        most[feature] = count - 1 if count else 255
        least = 0
        for at in range(at, at + width * count, width):
            value = int.from_bytes(file.blob[at : at + width], "little")
            within("threshold", value, READING_LIMIT, least)
            least = value
    # From the last page to the first, with the most that each class is given by the leaves of a page and of those
    # after it. Whatever a node leads to lies behind it: so no walk comes by a node twice.
    gives = [bytearray(classes) for _ in starts]
    end = len(features)
    while page:
        page -= 1
        own = gives[page]
        for i in range(starts[page], end):
            within("feature", features[i], len(limits) - 1)
            if lefts[i] != rights[i] or most[features[i]] >= 0:
                within("code", codes[i], most[features[i]])
            for to in (lefts[i], rights[i]):
                if to < 128:
                    within("later node of the page that a node leads to", starts[page] + to, end - 1, i + 1)
                elif to < leaves_end:
                    at = owners[to - 128]
                    own[at] = max(own[at], amounts[to - 128])
                else:
                    to += children[page] - leaves_end
                    within("later page that a node leads to", to, len(starts) - 1, page + 1)
                    for at in range(classes):
                        own[at] = max(own[at], gives[to][at])
        end = starts[page]
    for at in range(classes):
        within("score", base[at] + sum([own[at] for own in gives[:trees]]), 65535)
