#include "dispatch/words.h"

namespace poolwarden::dispatch {

std::string_view name(Reason reason) {
  using enum Reason;
  switch (reason) {
    case NoRoute:
      return "no_route";
    case RapidFail:
      return "rapid_fail";
    case Stopped:
      return "stopped";
    case StartFailure:
      return "start_failure";
    case QueueFull:
      return "queue_full";
    case Restarting:
      return "restarting";
    case QueueTimeout:
      return "queue_timeout";
    case WorkerDied:
      return "worker_died";
    case RequestTimeout:
      return "request_timeout";
    case BadRequest:
      return "bad_request";
    case HeadTooLarge:
      return "head_too_large";
    case BodyTooLarge:
      return "body_too_large";
    case BadResponse:
      return "bad_response";
    case ShuttingDown:
      return "shutting_down";
    case ClientTimeout:
      return "client_timeout";
  }
  return "unknown";
}

int status_of(Reason reason) {
  using enum Reason;
  switch (reason) {
    case NoRoute:
      return 404;
    case RapidFail:
    case Stopped:
    case StartFailure:
    case QueueFull:
    case Restarting:
    case QueueTimeout:
    case ShuttingDown:
      return 503;
    case WorkerDied:
    case BadResponse:
      return 502;
    case RequestTimeout:
      return 504;
    case BadRequest:
      return 400;
    case HeadTooLarge:
      return 431;
    case BodyTooLarge:
      return 413;
    case ClientTimeout:
      return 408;
  }
  return 500;
}

std::string_view name(Rejection rejection) {
  using enum Rejection;
  switch (rejection) {
    case Full:
      return "full";
    case Timeout:
      return "timeout";
    case PoolDisabled:
      return "pool_disabled";
    case PoolStopped:
      return "pool_stopped";
    case NoWorker:
      return "no_worker";
    case Shutdown:
      return "shutdown";
  }
  return "unknown";
}

std::string_view name(RequestFailure failure) {
  using enum RequestFailure;
  switch (failure) {
    case WorkerDied:
      return "worker_died";
    case ConnectFailed:
      return "connect_failed";
    case ResponseTimeout:
      return "response_timeout";
    case BadResponse:
      return "bad_response";
    case UploadTooLarge:
      return "upload_too_large";
    case HeaderInvalid:
      return "header_invalid";
    case ClientAborted:
      return "client_aborted";
  }
  return "unknown";
}

std::string_view name(LossCause cause) {
  using enum LossCause;
  switch (cause) {
    case Recycle:
      return "recycle";
    case Reload:
      return "reload";
    case Shutdown:
      return "shutdown";
    case WorkerDied:
      return "worker_died";
  }
  return "unknown";
}

}  // namespace poolwarden::dispatch
