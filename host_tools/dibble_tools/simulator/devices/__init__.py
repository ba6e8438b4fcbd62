"""Sensors on a simulated node's wires: what each answers to the driver, and how it fails."""

# Drivers whose sensors there are in the simulated orchard.
SIMULATED = (
    "amg8833",
    "anemometer",
    "battery",
    "bme680",
    "bme680_adafruit",
    "ds18b20",
    "ens160",
    "gas_adc",
    "lis3dh",
    "mlx90640_raw",
    "rain_gauge",
    "seesaw_soil",
    "sgp30",
    "sht3x",
    "sht4x",
    "soil_adc",
    "wind_vane",
)
