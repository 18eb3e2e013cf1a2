// libanswer.so as needs_library was built for it.

#include "answer.h"

int the_answer() { return 42; }
