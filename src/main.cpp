// The program's entry: which command; nothing else.

#include "cli/commands.h"

int main(int argc, char** argv) { return poolwarden::cli::run_program(argc, argv); }
