"""The kernels that turn one row into winner and margin: bytecode everywhere, viper or assembler where there is such."""
