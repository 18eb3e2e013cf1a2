// The closed lists of words that requests end with: header X-Poolwarden-Reason, metric labels,
// documentation. (design, table of 2.3; research/metrics.md 5.5)

#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace poolwarden::dispatch {

// Header X-Poolwarden-Reason of an answer that the gateway gives itself.
enum class Reason {
  NoRoute,
  RapidFail,
  Stopped,
  StartFailure,  // disabled at once by a start that cannot heal
  QueueFull,
  Restarting,
  QueueTimeout,
  WorkerDied,
  RequestTimeout,
  BadRequest,
  HeadTooLarge,
  BodyTooLarge,
  BadResponse,
  ShuttingDown,
  ClientTimeout,  // the client did not finish sending its request
};
inline constexpr std::size_t kReasons = static_cast<std::size_t>(Reason::ClientTimeout) + 1;
std::string_view name(Reason reason);
int status_of(Reason reason);  // 404, 503, …

// Label of poolwarden_queue_rejected_total.
enum class Rejection { Full, Timeout, PoolDisabled, PoolStopped, NoWorker, Shutdown };
inline constexpr std::size_t kRejections = static_cast<std::size_t>(Rejection::Shutdown) + 1;
std::string_view name(Rejection rejection);

// Label of poolwarden_http_request_failures_total.
enum class RequestFailure {
  WorkerDied,
  ConnectFailed,
  ResponseTimeout,
  BadResponse,
  UploadTooLarge,
  HeaderInvalid,
  ClientAborted,
};
inline constexpr std::size_t kRequestFailures =
    static_cast<std::size_t>(RequestFailure::ClientAborted) + 1;
std::string_view name(RequestFailure failure);

// Label of poolwarden_http_requests_lost_total. WorkerDied: the worker ended by itself; the others:
// the supervisor had decided something, so they must stay 0.
enum class LossCause { Recycle, Reload, Shutdown, WorkerDied };
inline constexpr std::size_t kLossCauses = static_cast<std::size_t>(LossCause::WorkerDied) + 1;
std::string_view name(LossCause cause);

// Upper bounds in seconds of the histograms in the scoreboard. (research/metrics.md 1.4)
inline constexpr std::array kRequestBuckets = {.005, .01, .025, .05, .1,  .25, .5,
                                               1.,   2.5, 5.,   10., 30., 60.};
inline constexpr std::array kQueueWaitBuckets = {.001, .005, .01, .05, .1, .5,
                                                 1.,   5.,   10., 30., 60.};

}  // namespace poolwarden::dispatch
