#include "gateway/error_page.h"

namespace poolwarden::gateway {
namespace {

std::string_view phrase(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 431:
      return "Request Header Fields Too Large";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Error";
  }
}

}  // namespace

std::string_view sentence_of(dispatch::Reason reason) {
  using enum dispatch::Reason;
  switch (reason) {
    case NoRoute:
      return "No application is configured for this host and path.";
    case RapidFail:
      return "The application failed too often and is switched off.";
    case Stopped:
      return "The application is stopped.";
    case StartFailure:
      return "The application cannot be started.";
    case QueueFull:
      return "Too many requests are waiting for the application.";
    case Restarting:
      return "The application is restarting, and enough requests are waiting for it.";
    case QueueTimeout:
      return "The application did not become free in time.";
    case WorkerDied:
      return "The application ended while it worked on this request.";
    case RequestTimeout:
      return "The application did not answer in time.";
    case BadRequest:
      return "The request is malformed.";
    case HeadTooLarge:
      return "The request's head is larger than 64 KiB.";
    case BodyTooLarge:
      return "The request's body is too large.";
    case BadResponse:
      return "The application's answer is not valid HTTP.";
    case ShuttingDown:
      return "The service is shutting down.";
    case ClientTimeout:
      return "The request did not arrive completely in time.";
  }
  return "The request failed.";
}

std::string write_error_page(const ErrorPage& page) {
  const std::string status = std::to_string(page.status);
  std::string body = status;
  body.append(" ").append(phrase(page.status)).append("\n");
  body.append(page.sentence).append("\nreason: ").append(name(page.reason)).append("\n");
  if (!page.request_id.empty()) body.append("request: ").append(page.request_id).append("\n");

  std::string out = "HTTP/1.1 ";
  out.append(status).append(" ").append(phrase(page.status)).append("\r\n");
  out.append("Content-Type: text/plain; charset=utf-8\r\nCache-Control: no-store\r\n");
  out.append("X-Poolwarden-Reason: ").append(name(page.reason)).append("\r\n");
  if (page.retry_after_seconds) {
    out.append("Retry-After: ").append(std::to_string(*page.retry_after_seconds)).append("\r\n");
  }
  if (!page.request_id.empty()) {
    out.append("X-Request-Id: ").append(page.request_id).append("\r\n");
  }
  if (page.close) {
    out.append("Connection: close\r\n");
  } else if (page.keep_alive) {
    out.append("Connection: keep-alive\r\n");
  }
  out.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
  if (!page.without_body) out.append(body);
  return out;
}

}  // namespace poolwarden::gateway
