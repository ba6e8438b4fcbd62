"""The one error that means the user, not dibble, has to change something."""


class InputError(Exception):
    """A file, column, option or machine isn't as expected: the command prints this and exits with 2.

    The message is one paragraph for people: what was expected, what came, where, what to do.
    """
