"""Recordings of gas sensors at ten heater temperatures, as BME AI-Studio keeps them -> a table of whole scans."""
