"""Inside the VM: its collector doesn't look for what only its own stack holds, so a module that stays runs all."""

from whole_node import main

main()
