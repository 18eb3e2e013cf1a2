"""A board: its variables, links and annotations, and its rows of panels laid out on the grid."""

from dataclasses import dataclass, field

from .panels import DATASOURCE
from .promql import EVERY, of_pools, of_program

COLUMNS = 24
BOARDS = {"poolwarden-overview": "Overview", "poolwarden-pool": "Pool", "poolwarden-failures": "Failures",
          "poolwarden-supervisor": "Supervisor"}


@dataclass
class Row:
    title: str
    panels: list
    collapsed: bool = False


@dataclass
class Board:
    uid: str
    title: str
    description: str
    rows: list = field(default_factory=list)
    pools: str = "all"  # "all", "one", or "none": what the variable pool offers

    def panels(self):
        return [panel for row in self.rows for panel in row.panels]

    def json(self):
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.description,
            "tags": ["poolwarden"],
            "schemaVersion": 39,
            "editable": False,
            "graphTooltip": 1,
            "timezone": "browser",
            "refresh": "30s",
            "time": {"from": "now-3h", "to": "now"},
            "timepicker": {},
            "links": [_link(uid, name) for uid, name in BOARDS.items() if uid != self.uid],
            "templating": {"list": self._variables()},
            "annotations": {"list": _annotations(self.pools != "none")},
            "panels": _laid_out(self.rows),
        }

    def _variables(self):
        variables = [
            {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus",
             "current": {}, "hide": 0, "includeAll": False, "multi": False, "options": [], "refresh": 1,
             "regex": ""},
            _variable("job", "label_values(poolwarden_build_info, job)"),
            _variable("instance", 'label_values(poolwarden_build_info{job=~"$job"}, instance)')]
        if self.pools != "none":
            one = self.pools == "one"
            variables.append(_variable("pool", f"label_values(poolwarden_pool_info{{{EVERY}}}, pool)", one))
        return variables


def _variable(name, query, one=False):
    chosen = {"selected": True, "text": ["All"], "value": ["$__all"]}
    everything = {} if one else {"allValue": ".+", "current": chosen}
    return {"name": name, "label": name.capitalize(), "type": "query", "datasource": DATASOURCE,
            "definition": query, "query": {"query": query, "refId": f"variable-{name}"}, "hide": 0,
            "includeAll": not one, "multi": not one, "options": [], "refresh": 2, "regex": "", "sort": 1,
            **everything}


def _link(uid, name):
    return {"title": name, "type": "link", "url": f"/d/{uid}", "icon": "dashboard", "tags": [], "tooltip": "",
            "asDropdown": False, "includeVars": True, "keepTime": True, "targetBlank": False}


def _annotations(with_pools):
    """Instants that the program tells itself, so no scrape interval blurs them."""
    trip = (of_pools if with_pools else of_program)("poolwarden_pool_rapid_fail_last_trip_timestamp_seconds")
    started = of_program("process_start_time_seconds")
    # The configuration that it started with is no reload.
    reloaded = of_program("poolwarden_config_last_reload_success_timestamp_seconds")
    build = of_program("poolwarden_build_info")
    return [
        {"builtIn": 1, "datasource": {"type": "grafana", "uid": "-- Grafana --"}, "enable": True, "hide": True,
         "iconColor": "rgba(0, 211, 255, 1)", "name": "Annotations & Alerts", "type": "dashboard"},
        _annotation("Rapid-fail trips", "red", f"{trip} * 1000",
                    "Rapid-fail took {{pool}} out of service", "in {{instance}}"),
        _annotation("Reloads", "blue", f"({reloaded} > {started} + 10) * 1000",
                    "Configuration reloaded", "by {{instance}}"),
        _annotation("Starts and deploys", "#8e8e8e",
                    f"{started} * ignoring (version, revision, compiler, build_type) "
                    f"group_left (version, revision) {build} * 1000",
                    "Supervisor started", "{{instance}}, version {{version}} ({{revision}})"),
    ]


def _annotation(name, color, expression, title, words):
    """The value is the time, in milliseconds."""
    return {"name": name, "datasource": DATASOURCE, "enable": True, "hide": False, "iconColor": color,
            "expr": expression, "titleFormat": title, "textFormat": words, "useValueForTime": True, "step": "30s"}


def _laid_out(rows):
    """Panels from left to right and line by line, under the titles of their rows."""
    made, numbers, y = [], iter(range(1, 1000)), 0
    for row in rows:
        if row.title:
            header = {"id": next(numbers), "type": "row", "title": row.title, "collapsed": row.collapsed,
                      "gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1}, "panels": []}
            made.append(header)
            y += 1
        into = made[-1]["panels"] if row.collapsed else made
        y = _place(row.panels, into, numbers, y)
    return made


def _place(panels, into, numbers, y):
    x = height = 0
    for panel in panels:
        if x + panel.width > COLUMNS:
            x, y, height = 0, y + height, 0
        into.append(panel.json(next(numbers), x, y))
        x, height = x + panel.width, max(height, panel.height)
    return y + height
