"""What merged firmware tells when something goes wrong: its texts lie in a file, and take no heap until then.

The host puts stored_text(number, told) for `text % told`, and writes the file: lines of a number and its text.
"""

NAME = "texts.txt"  # beside the package's own file


def stored_text(number, told=()):
    """Return the text of a number, with what it tells; where the file lacks it, the number and what it would tell."""
    mark = str(number).encode() + b" "
    try:
        with open(__file__.rpartition("/")[0] + "/" + NAME, "rb") as file:
            for line in file:
                if line.startswith(mark):
                    found = str(line[len(mark) : -1], "utf-8")
                    return found if told == () else found % told
    except (OSError, MemoryError):
        pass
    return "text %d of %s, which is lost: %r" % (number, NAME, told)
