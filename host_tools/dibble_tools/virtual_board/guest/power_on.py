"""Inside the VM: what a virtual board does after power-on, before its REPL."""

import start

start.board(globals())
del start
