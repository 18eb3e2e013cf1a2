// Files that are no YAML, or YAML that is no configuration.

#include "unit/config/bad_settings.h"

namespace poolwarden::config {
namespace {

TEST(BadDocument, IsToldOfAtItsPlace) {
  expect_complaints({
      {"", 1, 1, "",
       "the file holds no settings; it needs at least pools: {web: {command: [gunicorn, "
       "\"app:app\"],"},
      {"- a\n- b", 1, 1, "", "expected a map with keys such as listen and pools, got a list"},
      {"hello", 1, 1, "", "expected a map with keys such as listen and pools, got \"hello\""},
      {"listen: 0.0.0.0:80", 1, 1, "",
       "pools is missing; add at least one, such as pools: {web: {command: [gunicorn, "
       "\"app:app\"],"},
      {"pools:", 1, 1, "pools", "got nothing"},
      {"pools: {}", 1, 8, "pools", "got an empty map"},
      {"pools: [web]", 1, 8, "pools", "got a list"},
      {"pools:\n  web:\n\tcommand: a", 3, 2, "",
       "this is not YAML: end of map not found; indent with spaces: YAML does not take tabs"},
      {"pools: {web: {command: [a, b}", 1, 29, "",
       "this is not YAML: illegal flow end; look at the indentation and at quotes and brackets "
       "before"},
      {"pools:\n  web: {command: [a", 2, 18, "",
       "this is not YAML: the list that begins here is never closed; add a ]"},
      {"pools: {web: {command: a, routes: [{host: *, path: /}]}}", 1, 44, "",
       "this is not YAML: alias not found after *; a text that begins with * or & needs quotes, as "
       "in"},
      {"pools:\n  web:\n    command: \"gunicorn\n  api: {command: b}", 3, 14, "pools.web.command",
       "the quoted text that begins here never ends; add a \" where it should"},
      {"pools: {a: {command: x}}\n---\npools: {b: {command: y}}", 2, 1, "",
       "a second YAML document begins here; a configuration is one document: remove the line ---, "
       "or"},
      {"pools: {web: {command: *nope}}", 1, 24, "",
       "this is not YAML: the referenced anchor is not defined; a text that begins with * or & "
       "needs"},
      {"x: &a [*a]\npools: {web: {command: a}}", 1, 1, "x",
       "unknown key \"x\"; known here: listen, admin, control, state, log, gateway, shutdown, "
       "defaults or "
       "pools"},
      {"pools: {web: {command: !secret a}}", 1, 24, "pools.web.command",
       "the tag !secret means nothing here; remove it"},
      {"pools:\n  web: {command: a}\n  web: {command: b}", 3, 3, "pools.web",
       "the key \"web\" stands here a second time, first in line 2; remove one of them"},
      {pool("command: b"), 4, 5, "pools.web.command",
       "the key \"command\" stands here a second time, first in line 3; remove one of them"},
      {pool("<<: 5"), 4, 5, "pools.web.<<", "<< takes a map or a list of maps, got \"5\""},
      {pool("null: 1"), 4, 5, "pools.web", "expected the name of a key, got nothing"},
      {pool("[1]: 2"), 4, 5, "pools.web", "expected the name of a key, got a list"},
      {"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c "
       "[*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e "
       "[*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]",
       6, 4, "f", "this holds more than 100000 values; use fewer aliases"},
  });
}

}  // namespace
}  // namespace poolwarden::config
