#include "pool/event_catalogue.h"

#include "pool/was_number.h"

namespace poolwarden::pool {
namespace {

std::string number_text(int number) { return number == 0 ? "" : std::to_string(number); }

std::string row(const EventType& type, Level level, int number, std::string_view meaning) {
  return "| `" + std::string(type.name) + "` | " + std::string(name(level)) + " | " +
         number_text(number) + " | " + std::string(meaning) + " |\n";
}

template <typename Visit>
void for_each_case(EventKind kind, Visit visit) {
  for (const WasNumber& it : was_numbers()) {
    if (it.kind == kind) visit(it);
  }
}

template <typename Visit>
void for_each_type(Visit visit) {
  for (int i = 0; i < kEventKinds; ++i) visit(type_of(static_cast<EventKind>(i)));
}

std::string in_brackets(int number) {
  return number == 0 ? "" : " (WAS " + std::to_string(number) + ")";
}

}  // namespace

std::string event_catalogue_text() {
  std::string text;
  for_each_type([&](const EventType& type) {
    text += std::string(type.name) + ": " + std::string(name(type.level)) +
            in_brackets(type.was_number) + "\n  " + std::string(type.meaning) + "\n";
    for_each_case(type.kind, [&](const WasNumber& it) {
      text += "  " + std::string(it.when) + ": " + std::string(name(it.level)) +
              (it.number == 0 ? " (no number of WAS)" : in_brackets(it.number)) + "\n";
    });
  });
  return text;
}

std::string event_catalogue_markdown() {
  std::string text = "| event | level | WAS | meaning |\n|---|---|---|---|\n";
  for_each_type([&](const EventType& type) {
    text += row(type, type.level, type.was_number, type.meaning);
    for_each_case(type.kind, [&](const WasNumber& it) {
      text += row(type, it.level, it.number, "… " + std::string(it.when));
    });
  });
  return text;
}

}  // namespace poolwarden::pool
