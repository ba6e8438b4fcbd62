"""Water in the air, from its temperature and relative humidity."""

FIRST_CENTI_C = -1000
STEP_CENTI_C = 500
# Saturated air, each 5 C from -10 to 60, in 1/256 g/m3: 216.7 * 6.112 * exp(17.62 t / (243.12 + t)) / (273.15 + t).
SATURATED = (605, 873, 1241, 1739, 2402, 3276, 4414, 5880, 7748, 10105, 13052, 16704, 21193, 26667, 33292)


def absolute_humidity_g_m3(centi_c, permille):
    """Return 1/256 g/m3 within 1.5 %, at least 1; beyond the table's ends as at them.

    Source: the formula of Sensirion's SGP30 data sheet, 6.3 (humidity compensation). Products stay below 2**26.
    """
    place = min(max(centi_c - FIRST_CENTI_C, 0), STEP_CENTI_C * (len(SATURATED) - 1) - 1)
    i = place // STEP_CENTI_C
    saturated = SATURATED[i] + (SATURATED[i + 1] - SATURATED[i]) * (place % STEP_CENTI_C) // STEP_CENTI_C
    return max(1, (saturated * min(max(permille, 0), 1000) + 500) // 1000)
