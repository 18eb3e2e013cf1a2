// So many at a time, the others in turn: of what a crash storm asks for, not all is started at
// once.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <memory>

namespace poolwarden::process {

class Turns {
 public:
  Turns(boost::asio::io_context& io, std::size_t at_once, std::size_t most_waiting)
      : io_(io), free_(at_once), most_waiting_(most_waiting) {}

  // False: too many wait already. Else, when it returns, end() is owed.
  boost::asio::awaitable<bool> begin();
  void end();

 private:
  boost::asio::io_context& io_;
  std::size_t free_;
  std::size_t most_waiting_;
  std::deque<std::shared_ptr<boost::asio::steady_timer>> waiting_;  // each is cancelled in its turn
};

// Ends the turn that was had.
class Turn {
 public:
  explicit Turn(Turns& turns) : turns_(turns) {}
  ~Turn() { turns_.end(); }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Turns& turns_;
};

}  // namespace poolwarden::process
