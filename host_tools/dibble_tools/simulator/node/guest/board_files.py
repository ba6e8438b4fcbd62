"""Inside the VM: copies folders between file systems, and runs a file as a board does."""

from os import ilistdir, mkdir, stat


def copy(source, target):
    for entry in ilistdir(source):
        name, kind = entry[0], entry[1]
        if kind == 0x4000:
            mkdir(target + "/" + name)
            copy(source + "/" + name, target + "/" + name)
        else:
            with open(source + "/" + name, "rb") as file, open(target + "/" + name, "wb") as out:
                while True:
                    piece = file.read(1024)
                    if not piece:
                        break
                    out.write(piece)


def run(path):
    try:
        stat(path)
    except OSError:
        return
    with open(path) as file:
        source = file.read()
    exec(compile(source, path, "exec"), {"__name__": "__main__"})
