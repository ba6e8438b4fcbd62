"""Small convolutional networks in integers, over frames of bytes."""
