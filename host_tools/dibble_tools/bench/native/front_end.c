/* The front end of sound in C, on the plan of the firmware's kernels in machine code: senses/frames_plan.py. */
typedef struct {
    uint32_t row;
    int32_t high, sines, orders, words, bands, bands_end, size, log2, first, floor;
} Head;

static Word classify(const int32_t *row)
{
    const int16_t *samples = (const int16_t *)row;
    const Head *head = (const Head *)plan;
    const uint8_t *base = (const uint8_t *)plan;
    const uint16_t *sine = (const uint16_t *)(base + head->sines), *order = (const uint16_t *)(base + head->orders);
    int32_t *words = (int32_t *)(base + head->words);
    int32_t size = head->size, quarter = size >> 2, total = 0, used = 0, shift = 0;
    for (int32_t i = 0; i < size; i++) total += samples[i];
    int32_t twice = total >> head->log2 << 1;
    for (int32_t i = 0; i < quarter; i++) {
        int32_t a = samples[i], b = samples[i + quarter], c = samples[i + 2 * quarter], d = samples[i + 3 * quarter];
        int32_t cosine = sine[quarter - i], weight = sine[i];
        int32_t rise = a - c, fall = b - d;
        a += c - twice;
        b += d - twice;
        int32_t even = (a << 12) - cosine * rise, odd = (b << 12) + weight * fall;
        rise = (rise << 12) - cosine * a;
        fall = (fall << 12) + weight * b;
        a = even + odd;
        b = even - odd;
        int32_t *to = (int32_t *)((uint8_t *)words + order[i]);
        to[0] = a;
        to[1] = rise;
        to[2] = b;
        to[3] = fall;
        used |= (a ^ a >> 31) | (rise ^ rise >> 31) | (b ^ b >> 31) | (fall ^ fall >> 31);
    }
    while (used >> shift >> (20 - head->log2)) shift++;
    for (int32_t i = 0; i < size; i++) words[i] >>= shift;
    for (int32_t half = 4; half < size; half *= 2) {
        for (int32_t *at = words; at < words + size; at += 2 * half) {
            int32_t a = at[0], b = at[half];
            at[0] = a + b;
            at[half] = a - b;
        }
        int32_t step = size / (2 * half);
        for (int32_t k = 1; k < half >> 1; k++) {
            int32_t c = sine[quarter - k * step], s = sine[k * step];
            for (int32_t *at = words + k, *other = words + half - k; at < words + size; at += 2 * half, other += 2 * half) {
                int32_t b = at[half], d = other[half];
                int32_t real = (b * c - d * s) >> 12, imaginary = (d * c + b * s) >> 12;
                int32_t a = at[0];
                b = other[0];
                at[0] = a + real;
                other[0] = a - real;
                at[half] = imaginary - b;
                other[half] = imaginary + b;
            }
        }
    }
    const int32_t *up = words + head->first, *down = words + size - head->first;
    uint8_t *out = (uint8_t *)head->row;
    int32_t rising = 0, level = 16 * shift + 48 - head->floor;
    for (const uint32_t *band = (const uint32_t *)(base + head->bands);;) {
        int32_t width = *band & 255, share = *band >> 8;
        int32_t sum = 0, weighted = 0;
        do {
            int32_t a = *up++, b = *down--;
            a ^= a >> 31;
            b ^= b >> 31;
            sum += a < b ? b + (3 * a >> 3) : a + (3 * b >> 3);
            weighted += sum;
        } while (--width);
        int32_t falling = (weighted >> 12) * share + ((weighted & 4095) * share >> 12);
        if ((const uint8_t *)band != base + head->bands) {
            int32_t a = rising + falling + 16, b = level;
            while (a >= 512) {
                a >>= 4;
                b += 64;
            }
            while (a >= 32) {
                a >>= 1;
                b += 16;
            }
            a += b;
            *out++ = a < 0 ? 0 : a > 255 ? 255 : a;
        }
        rising = sum - falling;
        if ((const uint8_t *)++band == base + head->bands_end) return 0;
    }
}
