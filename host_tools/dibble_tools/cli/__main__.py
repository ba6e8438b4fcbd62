"""`python -m dibble_tools.cli`: the command `dibble`, where no PATH leads to it."""

from dibble_tools.cli.main import main

if __name__ == "__main__":
    main()
