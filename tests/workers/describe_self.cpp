// describe_self: prints its pid, open descriptors, umask, directory, environment and what
// /proc/self/status says, then "end", and stays.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>

extern char** environ;

int main() {
  std::cout << "pid " << ::getpid() << "\n";
  std::cout << "session " << ::getsid(0) << "\n";
  for (int fd = 0; fd < 1024; ++fd)
    if (::fcntl(fd, F_GETFD) >= 0) std::cout << "fd " << fd << "\n";
  struct sigaction pipe {};
  ::sigaction(SIGPIPE, nullptr, &pipe);
  std::cout << "sigpipe " << (pipe.sa_handler == SIG_DFL ? "default" : "changed") << "\n";
  std::cout << "umask " << ::umask(0) << "\n";
  char directory[4096];
  std::cout << "directory " << ::getcwd(directory, sizeof directory) << "\n";
  for (char** entry = ::environ; *entry; ++entry) std::cout << "env " << *entry << "\n";
  for (const char* name : {"/proc/self/status", "/proc/self/limits", "/proc/self/oom_score_adj"}) {
    std::ifstream file(name);
    for (std::string line; std::getline(file, line);) std::cout << line << "\n";
  }
  std::cout << "end" << std::endl;
  for (;;) ::pause();
}
