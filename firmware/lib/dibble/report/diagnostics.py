"""Home Assistant finds how a node is, and the update that it is offered: discovery as in home_assistant.py.

Update: https://www.home-assistant.io/integrations/update.mqtt/ (state as JSON: installed_version, latest_version,
in_progress, update_percentage; a button that publishes to the command topic, retained as the node sleeps).
"""

from dibble.report.home_assistant import entity, topic_of

_DIAGNOSTIC = '"ent_cat":"diagnostic","stat_cla":"measurement"'
_SENSORS = (  # name, key in `health`, what is done to it, further JSON
    ("signal", "rssi_dbm", "", ',"dev_cla":"signal_strength","unit_of_meas":"dBm"'),
    ("uptime", "up_s", "", ',"dev_cla":"duration","unit_of_meas":"s"'),
    ("faulty sensors", "faults", "", ""),
    ("unsure", "unsure_permille", " / 10", ',"unit_of_meas":"%"'),
    ("out of range", "out_of_range_permille", " / 10", ',"unit_of_meas":"%"'),
)
_UPDATE = (
    "{'installed_version': value_json.installed or 'none', 'latest_version': value_json.latest or 'none', "
    "'in_progress': value_json.state == 'receiving', 'update_percentage': "
    "100 * value_json.have // value_json.of if value_json.state == 'receiving' and value_json.of else none} | to_json"
)


def messages(node, board, expire_s, updates):
    """Yield (topic, payload) of each entity, to be published retained.

    Args:
        node, board, expire_s: as home_assistant.messages() has them.
        updates: the node takes any.
    """
    for name, key, change, more in _SENSORS:
        value = "value_json.%s" % key
        if change:
            value = "%s%s if %s is number else none" % (value, change, value)
        yield entity(
            node, board, "sensor", name, key, "health", value, '%s%s,"exp_aft":%d' % (_DIAGNOSTIC, more, expire_s)
        )
    if updates:
        command = '"cmd_t":"%s","pl_inst":"install","ret":true' % topic_of(node, "in/install")
        yield entity(node, board, "update", "model", "model", "update", _UPDATE, command)
