#include "journal/certificate_store.h"

#include <algorithm>
#include <iterator>
#include <set>

#include "journal/certificate_bounds.h"

namespace poolwarden::journal {

using diagnosis::Certificate;

KeptCertificate CertificateStore::add(Certificate certificate) {
  std::lock_guard lock(mutex_);
  certificate.number = ++last_number_;
  return keep(std::move(certificate));
}

KeptCertificate CertificateStore::amend(Certificate certificate) {
  std::lock_guard lock(mutex_);
  const auto known = certificate.number == 0 ? find_process(certificate)
                                             : All::const_iterator(all_.find(certificate.number));
  if (known == all_.end()) return nullptr;
  certificate.number = known->first;
  return keep(std::move(certificate));
}

void CertificateStore::restore(Certificate certificate) {
  std::lock_guard lock(mutex_);
  last_number_ = std::max(last_number_, certificate.number);
  keep(std::move(certificate));
}

KeptCertificate CertificateStore::keep(Certificate certificate) {
  auto kept = std::make_shared<const Certificate>(bounded(std::move(certificate)));
  if (const auto before = all_.find(kept->number); before != all_.end()) forget(before);
  const std::size_t bytes = weight(*kept);
  all_[kept->number] = {kept, bytes};
  std::uint64_t& newest = newest_of_[process_of(*kept)];
  newest = std::max(newest, kept->number);
  bytes_ += bytes;
  make_room(*kept);
  return kept;
}

void CertificateStore::make_room(const Certificate& newest) {
  shorten(bounds_.of_slot, [&](const Certificate& one) {
    return one.slot == newest.slot && one.pool == newest.pool;
  });
  shorten(bounds_.of_pool, [&](const Certificate& one) { return one.pool == newest.pool; });
  shorten(bounds_.of_all, [](const Certificate&) { return true; });
  while (bytes_ > bounds_.bytes && all_.size() > 1) forget(all_.begin());
}

// Keeps at most so many of those that belong together.
template <typename Belongs>
void CertificateStore::shorten(std::size_t at_most, Belongs belongs) {
  std::size_t count = 0;
  std::size_t expected = 0;
  auto oldest = all_.end();
  auto oldest_expected = all_.end();
  for (auto one = all_.begin(); one != all_.end(); ++one) {
    const Certificate& certificate = *one->second.certificate;
    if (!belongs(certificate)) continue;
    if (count++ == 0) oldest = one;
    if (certificate.diagnosis.expected && expected++ == 0) oldest_expected = one;
  }
  if (count > at_most) forget(expected > bounds_.expected ? oldest_expected : oldest);
}

void CertificateStore::forget(All::iterator which) {
  const auto known = newest_of_.find(process_of(*which->second.certificate));
  if (known != newest_of_.end() && known->second == which->first) newest_of_.erase(known);
  bytes_ -= which->second.weight;
  all_.erase(which);
}

CertificateStore::Process CertificateStore::process_of(const Certificate& certificate) {
  return {certificate.pool, certificate.slot, certificate.generation, certificate.pid};
}

CertificateStore::All::const_iterator CertificateStore::find_process(
    const Certificate& certificate) const {
  const auto found = newest_of_.find(process_of(certificate));
  return found == newest_of_.end() ? all_.end() : all_.find(found->second);
}

KeptCertificate CertificateStore::find(const std::string& pool, std::uint32_t slot,
                                       std::uint64_t generation, int pid) const {
  Certificate wanted;
  wanted.pool = pool;
  wanted.slot = slot;
  wanted.generation = generation;
  wanted.pid = pid;
  std::lock_guard lock(mutex_);
  const auto found = find_process(wanted);
  return found == all_.end() ? nullptr : found->second.certificate;
}

KeptCertificate CertificateStore::numbered(std::uint64_t number) const {
  std::lock_guard lock(mutex_);
  const auto found = all_.find(number);
  return found == all_.end() ? nullptr : found->second.certificate;
}

std::vector<KeptCertificate> CertificateStore::find(const CertificateQuery& query) const {
  std::vector<KeptCertificate> found;
  std::map<std::string, std::size_t> counts;
  std::lock_guard lock(mutex_);
  for (auto one = all_.rbegin(); one != all_.rend(); ++one) {
    const Certificate& certificate = *one->second.certificate;
    if (!query.pool.empty() && certificate.pool != query.pool) continue;
    if (query.slot && certificate.slot != *query.slot) continue;
    if (query.only_unexpected && certificate.diagnosis.expected) continue;
    if (counts[certificate.pool]++ < query.at_most) found.push_back(one->second.certificate);
  }
  return found;
}

std::vector<std::string> CertificateStore::pools() const {
  std::set<std::string> names;
  std::lock_guard lock(mutex_);
  for (const auto& [number, kept] : all_) names.insert(kept.certificate->pool);
  return {names.begin(), names.end()};
}

}  // namespace poolwarden::journal
