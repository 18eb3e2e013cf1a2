// needs_library: asks libanswer.so for the answer, and exits with it.

#include "library/answer.h"

int main() { return the_answer(); }
