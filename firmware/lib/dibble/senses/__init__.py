"""A sense turns a stream of samples into rows of codes, before there are channels: in the same integers as the host.

What a model doesn't need is imported when it is asked for: importing this package imports nothing.
"""
