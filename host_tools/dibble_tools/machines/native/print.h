/* Texts and numbers, by the put(char) of whoever includes it. */
static void text(const char *letters)
{
    while (*letters)
        put(*letters++);
}

static void number(uint32_t value, char after)
{
    char digits[10];
    uint8_t i = 0;
    do
        digits[i++] = (char)('0' + value % 10);
    while (value /= 10);
    while (i)
        put(digits[--i]);
    put(after);
}
