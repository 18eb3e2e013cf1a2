// kill_self SIGNAL: ends by that signal.

#include <unistd.h>

#include <csignal>
#include <cstdlib>

int main(int argc, char** argv) {
  ::kill(::getpid(), argc > 1 ? std::atoi(argv[1]) : SIGKILL);
  ::pause();
}
