// `poolwarden schema`: the JSON Schema of the configuration file, for editors.

#pragma once

namespace poolwarden::cli {

int schema_command();

}  // namespace poolwarden::cli
