"""Panels: each kind as Grafana's JSON wants it, with one look for all boards.

Every panel has a title, a telling of three sentences (what it shows, why it matters, what to do) and
queries. A panel that may be empty while all is well says so: `nothing` is the text that it shows
then. A query that may be empty beside others says why: `optional`.
"""

from dataclasses import dataclass, field

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
DASHED = {"fill": "dash", "dash": [8, 6]}


@dataclass(frozen=True)
class Query:
    expression: str
    legend: str = ""
    instant: bool = False
    table: bool = False  # a row for each series, in place of a line
    buckets: bool = False  # of a histogram, for a heatmap
    optional: str | None = None

    def json(self, letter):
        shape = "table" if self.table else "heatmap" if self.buckets else "time_series"
        return {"datasource": DATASOURCE, "editorMode": "code", "expr": self.expression, "format": shape,
                "instant": self.instant, "legendFormat": self.legend or "__auto", "range": not self.instant,
                "refId": letter}


@dataclass
class Panel:
    kind: str
    title: str
    telling: tuple
    queries: list = field(default_factory=list)
    width: int = 8
    height: int = 8
    unit: str | None = None
    nothing: str | None = None
    options: dict = field(default_factory=dict)
    defaults: dict = field(default_factory=dict)
    overrides: list = field(default_factory=list)
    more: dict = field(default_factory=dict)  # what only some kinds have, such as transformations

    def json(self, number, x, y):
        defaults = dict(self.defaults)
        if self.unit:
            defaults["unit"] = self.unit
        if self.nothing:
            defaults["noValue"] = self.nothing
        made = {"id": number, "type": self.kind, "title": self.title, "description": "\n\n".join(self.telling),
                "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
                "fieldConfig": {"defaults": defaults, "overrides": self.overrides}, "options": self.options}
        if self.queries:
            made["datasource"] = DATASOURCE
            made["targets"] = [query.json(chr(ord("A") + i)) for i, query in enumerate(self.queries)]
        return {**made, **self.more}


# Pieces


def steps(first, *later):
    """Thresholds: steps("green", (0.8, "orange"), (1, "red"))."""
    return {"mode": "absolute", "steps": [{"color": first, "value": None},
                                          *({"color": color, "value": value} for value, color in later)]}


def mapping(texts):
    """Value mappings: mapping({1: ("running", "green")}); a color may be None."""
    options = {}
    for index, (value, (text, color)) in enumerate(texts.items()):
        options[str(value)] = {"index": index, "text": text, **({"color": color} if color else {})}
    return [{"type": "value", "options": options}]


def otherwise(text, color=None):
    """For a mapping's end: what stands for all values that it does not name."""
    result = {"text": text, "index": 99, **({"color": color} if color else {})}
    return [{"type": "regex", "options": {"pattern": ".*", "result": result}}]


def special(match, text, color=None):
    """The mapping of what is no number: match is null, nan or null+nan."""
    result = {"text": text, "index": 0, **({"color": color} if color else {})}
    return [{"type": "special", "options": {"match": match, "result": result}}]


def by_name(name, **properties):
    return _override("byName", name, properties)


def by_pattern(pattern, **properties):
    return _override("byRegexp", pattern, properties)


def _override(matcher, options, properties):
    """A double underscore in a property's name is a dot: custom__width."""
    return {"matcher": {"id": matcher, "options": options},
            "properties": [{"id": name.replace("__", "."), "value": value} for name, value in properties.items()]}


def fixed(color):
    return {"mode": "fixed", "fixedColor": color}


def colored(colors):
    return [by_name(name, color=fixed(color)) for name, color in colors.items()]


STATUS_CODES = [by_pattern(f"/^{digit}../", color=fixed(color)) for digit, color in
                ((1, "#8e8e8e"), (2, "green"), (3, "blue"), (4, "yellow"), (5, "red"))]
QUANTILES = colored({"p50": "green", "p95": "yellow", "p99": "red"})


def limit_line(name, color="red"):
    """A configured limit: a dashed line that nothing is stacked on."""
    return by_pattern(f"/^{name}/", color=fixed(color), custom__lineStyle=DASHED, custom__fillOpacity=0,
                      custom__lineWidth=2, custom__stacking={"mode": "none", "group": "limits"})


def link(title, uid, *variables):
    """To another board, with its time range and variables kept. variables: `var-pool=...`."""
    kept = ["${__url_time_range}", "${datasource:queryparam}", "${job:queryparam}", "${instance:queryparam}"]
    return {"title": title, "url": f"/d/{uid}?{'&'.join([*kept, *variables])}"}


# Kinds


def stat(title, telling, queries, unit, thresholds=None, *, mappings=None, width=3, height=4, size=36, links=(),
         decimals=None, **how):
    """One number to read from three metres, green or not."""
    defaults = {"color": {"mode": "thresholds"}, "thresholds": thresholds or steps("text"),
                "mappings": mappings or [], "links": list(links)}
    if decimals is not None:
        defaults["decimals"] = decimals
    options = {"colorMode": "value", "graphMode": "none", "justifyMode": "center",
               "orientation": "vertical", "textMode": "auto", "wideLayout": True, "showPercentChange": False,
               "percentChangeColorMode": "standard",
               "text": {"titleSize": 14, "valueSize": size},
               "reduceOptions": {"calcs": ["last"], "fields": "", "values": False}}
    return Panel("stat", title, telling, queries, width, height, unit, options=options, defaults=defaults,
                 **how)


def lines(title, telling, queries, unit, *, overrides=(), stacked=False, high=None, low=0, at_least=None,
          thresholds=None, legend="list", calculations=(), decimals=None, **how):
    """Lines over time; `stacked` only where the parts sum to a whole."""
    custom = {"drawStyle": "line", "lineInterpolation": "linear", "lineWidth": 1, "fillOpacity": 60 if stacked else 8,
              "gradientMode": "none", "showPoints": "never", "spanNulls": False, "axisPlacement": "auto",
              "axisLabel": "", "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
              "thresholdsStyle": {"mode": "dashed" if thresholds else "off"}}
    if at_least is not None:
        custom["axisSoftMax"] = at_least
    return Panel("timeseries", title, telling, queries, unit=unit, overrides=list(overrides),
                 options=_time_options(legend, calculations),
                 defaults=_time_defaults(custom, low, high, decimals, thresholds), **how)


def bars(title, telling, queries, unit="short", *, overrides=(), side="bottom", **how):
    """Events: how many in each step; the legend has the totals of the time range."""
    custom = {"drawStyle": "bars", "barAlignment": -1, "barWidthFactor": 0.8, "lineWidth": 0, "fillOpacity": 90,
              "gradientMode": "none", "showPoints": "never", "axisPlacement": "auto", "axisLabel": "",
              "axisSoftMax": 2, "stacking": {"mode": "normal", "group": "A"}, "thresholdsStyle": {"mode": "off"}}
    more = {"interval": "1m"}  # below it, rate() looks back over more than one bar
    return Panel("timeseries", title, telling, queries, unit=unit, overrides=list(overrides), more=more,
                 options=_time_options("table" if side == "right" else "list", ("sum",), side),
                 defaults=_time_defaults(custom, 0, None, 0, None), **how)


def _time_options(legend, calculations, side="bottom"):
    return {"legend": {"displayMode": legend, "placement": side, "showLegend": True, "calcs": list(calculations),
                       "sortBy": "Total" if calculations == ("sum",) else "Max", "sortDesc": True},
            "tooltip": {"mode": "multi", "sort": "desc"}}


def _time_defaults(custom, low, high, decimals, thresholds):
    defaults = {"color": {"mode": "palette-classic"}, "custom": custom, "mappings": [],
                "thresholds": thresholds or steps("green")}
    for name, value in (("min", low), ("max", high), ("decimals", decimals)):
        if value is not None:
            defaults[name] = value
    return defaults


def timeline(title, telling, queries, states, **how):
    """A row for each series, coloured by state."""
    options = {"showValue": "never", "rowHeight": 0.8, "mergeValues": True, "alignValue": "left",
               "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
               "tooltip": {"mode": "single", "sort": "none"}}
    defaults = {"color": {"mode": "thresholds"}, "custom": {"fillOpacity": 80, "lineWidth": 0},
                "mappings": mapping(states), "thresholds": steps("text")}
    return Panel("state-timeline", title, telling, queries, options=options, defaults=defaults, **how)


def heatmap(title, telling, query, unit="s", *, scheme="Blues", **how):
    """A histogram over time: where most values lie, and whether there are two humps."""
    options = {"calculate": False, "cellGap": 1, "cellValues": {}, "rowsFrame": {"layout": "auto"},
               "color": {"mode": "scheme", "scheme": scheme, "steps": 64, "exponent": 0.5, "fill": "dark-blue",
                         "scale": "exponential", "reverse": False},
               "filterValues": {"le": 1e-9}, "legend": {"show": True}, "showValue": "never",
               "tooltip": {"mode": "single", "yHistogram": True, "showColorScale": True},
               "yAxis": {"axisPlacement": "left", "unit": unit}, "exemplars": {"color": "rgba(255,0,255,0.7)"}}
    return Panel("heatmap", title, telling, [query], unit=unit, options=options,
                 defaults={"custom": {"scaleDistribution": {"type": "linear"}}}, more={"interval": "1m"}, **how)


def table(title, telling, queries, columns, *, sort=None, overrides=(), merge=True, **how):
    """columns: {field: name on the board}, in their order; all other fields are hidden."""
    hidden = {"Time": True, **{f"Value #{chr(ord('A') + i)}": True for i in range(len(queries))}}
    excluded = {name: True for name in hidden if name not in columns}
    organize = {"excludeByName": excluded, "includeByName": {name: True for name in columns},
                "indexByName": {name: index for index, name in enumerate(columns)}, "renameByName": columns}
    transformations = [{"id": "merge", "options": {}}] if merge and len(queries) > 1 else []
    transformations.append({"id": "organize", "options": organize})
    options = {"showHeader": True, "cellHeight": "sm",
               "sortBy": [{"displayName": sort, "desc": True}] if sort else []}
    defaults = {"color": {"mode": "thresholds"}, "mappings": [], "thresholds": steps("text"),
                "custom": {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False, "minWidth": 50}}
    return Panel("table", title, telling, queries, options=options, defaults=defaults, overrides=list(overrides),
                 more={"transformations": transformations}, **how)


def gauge(title, telling, queries, unit, thresholds, *, high=1, **how):
    options = {"orientation": "auto", "showThresholdLabels": False, "showThresholdMarkers": True, "sizing": "auto",
               "minVizWidth": 75, "minVizHeight": 75,
               "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
    defaults = {"color": {"mode": "thresholds"}, "min": 0, "max": high, "thresholds": thresholds, "mappings": []}
    return Panel("gauge", title, telling, queries, unit=unit, options=options, defaults=defaults, **how)


def text(title, telling, content, **how):
    return Panel("text", title, telling, options={"mode": "markdown", "content": content}, **how)
