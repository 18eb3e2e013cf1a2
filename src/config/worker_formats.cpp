#include "config/worker_formats.h"

#include <algorithm>
#include <boost/json/array.hpp>

#include "base/match.h"
#include "config/plain_formats.h"

namespace poolwarden::config {
namespace {

using boost::json::array;
using boost::json::object;

object argument_schema() { return {{"type", array{"string", "number", "boolean"}}}; }

std::optional<std::string> read_text(const Cell& cell, const std::string& what,
                                     const std::string& cure = "") {
  if (cell.node->kind == Node::Kind::Scalar) return cell.node->text;
  cell.expected(what, cure);
  return std::nullopt;
}

std::optional<Command> read_arguments(const Cell& cell, const std::string& what) {
  Command command;
  for (std::size_t i = 0; i < cell.node->items.size(); ++i) {
    const auto argument = read_text(cell.item(i), "an argument", "quote it if it is meant as text");
    if (!argument) return std::nullopt;
    command.push_back(*argument);
  }
  if (!command.empty() && command[0].empty()) {
    cell.item(0).expected(what, "its first word names the program");
    return std::nullopt;
  }
  return command;
}

std::optional<Command> read_command(const Cell& cell, const std::string& what, bool may_be_empty) {
  if (cell.node->kind == Node::Kind::List) {
    const std::optional<Command> command = read_arguments(cell, what);
    if (!command || !command->empty() || may_be_empty) return command;
    cell.error("expected " + what + ", got an empty list");
    return std::nullopt;
  }
  const std::optional<std::string> text = read_text(cell, what);
  if (!text) return std::nullopt;
  if (text->find_first_not_of(" \t\n") != std::string::npos) {
    return Command{"/bin/sh", "-c", *text};
  }
  cell.expected(what);
  return std::nullopt;
}

bool is_variable_name(const std::string& name) {
  const auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  const bool digit_first = !name.empty() && name[0] >= '0' && name[0] <= '9';
  return !name.empty() && !digit_first && std::all_of(name.begin(), name.end(), allowed);
}

// Set by the supervisor for each worker, whatever the file says (design, 2.2).
bool is_ours(const std::string& name) {
  return name.starts_with("POOLWARDEN_") || name.starts_with("LISTEN_") ||
         name == "NOTIFY_SOCKET" || name == "WATCHDOG_USEC" || name == "WATCHDOG_PID";
}

std::optional<Variables> read_variables(const Cell& cell) {
  const std::string what = "a map of names and values such as {APP_ENV: production}";
  if (cell.node->kind == Node::Kind::Nothing) return Variables{};
  if (cell.node->kind != Node::Kind::Map) {
    cell.expected(what, "write NAME: value, one a line");
    return std::nullopt;
  }
  Variables result;
  for (const Entry& entry : cell.node->entries) {
    const Cell value = cell.value_of(entry);
    if (!is_variable_name(entry.key)) {
      cell.error_at(entry.place, value.path,
                    "\"" + entry.key +
                        "\" is no name of an environment variable: letters, digits "
                        "and _ only, and no digit first");
    }
    if (is_ours(entry.key)) value.warning("Poolwarden sets this variable itself; remove it here");
    const auto text = read_text(value, "a text", "for an empty value write \"\"");
    if (text) result[entry.key] = *text;
  }
  return result;
}

Result<unsigned> parse_mask(const std::string& text) {
  const bool octal =
      !text.empty() && text.size() <= 4 && text.find_first_not_of("01234567") == std::string::npos;
  const unsigned long mask = octal ? std::stoul(text, nullptr, 8) : 01000;
  if (mask > 0777) return failure(wrong_text("an octal mask such as \"0027\"", text));
  return static_cast<unsigned>(mask);
}

std::string show_mask(unsigned mask) {
  std::string digits;
  for (int shift = 9; shift >= 0; shift -= 3) {
    digits += static_cast<char>('0' + (mask >> shift & 7));
  }
  return digits;
}

std::optional<std::string> http_path_of(const std::string& text) {
  if (!text.starts_with("http:")) return std::nullopt;
  const std::size_t begin = text.find_first_not_of(' ', 5);
  return begin == std::string::npos ? "" : text.substr(begin);
}

std::optional<worker::ReadyWhen> read_ready_when(const Cell& cell) {
  const std::string what = "connect, notify, started or {http: /path}";
  const Format<std::string> path = url_path("/healthz");
  const Entry* http = cell.node->find("http");
  if (http && cell.node->entries.size() == 1) {
    const std::optional<std::string> value = path.read(cell.value_of(*http));
    if (!value) return std::nullopt;
    return worker::WhenHttp{*value};
  }
  const std::optional<std::string> text = read_text(cell, what);
  if (!text) return std::nullopt;
  if (*text == "connect") return worker::WhenConnect{};
  if (*text == "notify") return worker::WhenNotify{};
  if (*text == "started") return worker::WhenStarted{};
  if (const std::optional<std::string> written = http_path_of(*text)) {
    const Node as_path{.kind = Node::Kind::Scalar, .place = cell.node->place, .text = *written};
    const std::optional<std::string> value = path.read({&as_path, cell.path, cell.findings});
    if (!value) return std::nullopt;
    return worker::WhenHttp{*value};
  }
  if (*text == "http") {
    cell.expected(what, "write {when: {http: /healthz}}");
    return std::nullopt;
  }
  const std::vector<std::string> known = {"connect", "notify", "started"};
  const std::optional<std::string> meant = nearest(*text, known);
  cell.expected(what, meant ? "did you mean \"" + *meant + "\"?" : "");
  return std::nullopt;
}

NodePtr write_ready_when(const worker::ReadyWhen& when) {
  return std::visit(Match{[](const worker::WhenConnect&) { return make_scalar("connect"); },
                          [](const worker::WhenNotify&) { return make_scalar("notify"); },
                          [](const worker::WhenStarted&) { return make_scalar("started"); },
                          [](const worker::WhenHttp& http) {
                            return make_map({{"http", {}, make_scalar(http.path)}});
                          }},
                    when);
}

}  // namespace

Format<Command> command_line(const std::string& example, bool may_be_empty) {
  const std::string what =
      "a command: a list of arguments such as " + example + ", or one text that /bin/sh runs";
  object list{{"type", "array"}, {"items", argument_schema()}};
  if (!may_be_empty) list["minItems"] = 1;
  return {"command",
          {{"anyOf", array{list, object{{"type", "string"}}}}},
          [=](const Cell& cell) { return read_command(cell, what, may_be_empty); },
          [=](const Command& command) -> NodePtr {
            if (command.empty() && !may_be_empty) return nullptr;
            std::vector<NodePtr> items;
            for (const std::string& argument : command) items.push_back(make_scalar(argument));
            return make_list(std::move(items));
          }};
}

Format<Variables> variables() {
  return {"map of texts",
          {{"type", array{"object", "null"}},
           {"propertyNames", object{{"pattern", "^[A-Za-z_][A-Za-z0-9_]*$"}}},
           {"additionalProperties", argument_schema()}},
          read_variables,
          [](const Variables& values) {
            std::vector<Entry> entries;
            for (const auto& [name, value] : values) {
              entries.push_back({name, {}, make_scalar(value)});
            }
            return make_map(std::move(entries));
          }};
}

Format<unsigned> file_mode_mask() {
  object schema{{"anyOf", array{object{{"type", "string"}, {"pattern", "^[0-7]{1,4}$"}},
                                object{{"type", "integer"}}}}};
  return scalar_format<unsigned>("octal mask", schema, "an octal mask such as \"0027\"", parse_mask,
                                 show_mask);
}

Format<worker::ReadyWhen> ready_when() {
  object http{{"type", "object"},
              {"properties", object{{"http", object{{"type", "string"}, {"pattern", "^/"}}}}},
              {"required", array{"http"}},
              {"additionalProperties", false}};
  object words{{"enum", array{"connect", "notify", "started"}}};
  object text{{"type", "string"}, {"pattern", "^http: */"}};
  return {"connect, notify, started or {http: /path}",
          {{"anyOf", array{words, http, text}}},
          read_ready_when,
          write_ready_when};
}

Format<std::string> url_path(const std::string& example) {
  const std::string what = "a path such as " + example;
  return scalar_format<std::string>(
      "URL path", {{"type", "string"}, {"pattern", "^/[^\\s#]*$"}}, what,
      [what](const std::string& text) -> Result<std::string> {
        const bool clean = std::none_of(text.begin(), text.end(), [](unsigned char c) {
          return c <= ' ' || c == 0x7f || c == '#';
        });
        if (!text.starts_with('/')) return failure(wrong_text(what, text, "it must begin with /"));
        if (!clean) return failure(wrong_text(what, text, "no spaces and no # in it"));
        return text;
      },
      [](const std::string& value) { return value; });
}

Format<std::optional<Size>> core_size() {
  Format<std::optional<Size>> format = size_limit();
  format.read = [](const Cell& cell) -> std::optional<std::optional<Size>> {
    const std::string what = "a size such as 2GiB, 0 for no core files, or infinite";
    if (cell.node->text == "infinite") return std::optional<Size>(worker::kUnlimitedCore);
    const Result<std::optional<Size>> size = parse_size(cell.node->text);
    const bool is_text = cell.node->kind == Node::Kind::Scalar;
    if (is_text && size && (!*size || std::holds_alternative<Bytes>(**size))) return *size;
    cell.expected(what);
    return std::nullopt;
  };
  format.write = [](const std::optional<Size>& size) {
    if (size == Size(worker::kUnlimitedCore)) return make_scalar("infinite");
    return make_scalar(size ? format_size(*size) : "0");
  };
  return format;
}

}  // namespace poolwarden::config
