"""How far samples span: the largest less the smallest."""

from dibble.inference.kernels.choice import KIND

if KIND == "bytecode":

    def span(samples):
        """Return it.

        Args:
            samples: array("h") or a memoryview of one, not empty.
        """
        return max(samples) - min(samples)

else:
    if KIND == "thumb":
        from dibble.senses.span_thumb import span_of
    else:
        from dibble.senses.span_viper import span_of

    def span(samples):
        """As above."""
        return span_of(samples, len(samples))
