#include "cli/schema_command.h"

#include <cstdio>

#include "config/json_schema.h"

namespace poolwarden::cli {

int schema_command() {
  std::fputs(config::json_schema().c_str(), stdout);
  return 0;
}

}  // namespace poolwarden::cli
