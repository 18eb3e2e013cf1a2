#include "journal/certificate_store.h"

#include <algorithm>

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
  const std::uint64_t number = kept->number;
  if (const auto before = all_.find(number); before != all_.end()) forget(before);
  const std::size_t bytes = weight(*kept);
  all_[number] = {kept, bytes};
  for (Numbers* numbers : {&slots_[{kept->pool, kept->slot}], &pools_[kept->pool], &everyone_}) {
    numbers->all.insert(number);
    if (kept->diagnosis.expected) numbers->expected.insert(number);
  }
  std::uint64_t& newest = newest_of_[process_of(*kept)];
  newest = std::max(newest, number);
  bytes_ += bytes;
  make_room(*kept);
  return kept;
}

void CertificateStore::make_room(const Certificate& newest) {
  shorten(bounds_.of_slot, slots_[{newest.pool, newest.slot}]);
  shorten(bounds_.of_pool, pools_[newest.pool]);
  shorten(bounds_.of_all, everyone_);
  while (bytes_ > bounds_.bytes && all_.size() > 1) forget(all_.begin());
}

// Keeps at most so many of those that belong together.
void CertificateStore::shorten(std::size_t at_most, const Numbers& numbers) {
  if (numbers.all.size() <= at_most) return;
  const auto& from = numbers.expected.size() > bounds_.expected ? numbers.expected : numbers.all;
  forget(all_.find(*from.begin()));
}

void CertificateStore::forget(All::iterator which) {
  const std::uint64_t number = which->first;
  const KeptCertificate certificate = which->second.certificate;
  const auto known = newest_of_.find(process_of(*certificate));
  if (known != newest_of_.end() && known->second == number) newest_of_.erase(known);
  const auto leave = [number](auto& groups, const auto& key) {
    const auto group = groups.find(key);
    group->second.all.erase(number);
    group->second.expected.erase(number);
    if (group->second.all.empty()) groups.erase(group);
  };
  leave(slots_, Slot(certificate->pool, certificate->slot));
  leave(pools_, certificate->pool);
  everyone_.all.erase(number);
  everyone_.expected.erase(number);
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
  std::vector<std::string> names;
  std::lock_guard lock(mutex_);
  for (const auto& [name, numbers] : pools_) names.push_back(name);
  return names;
}

}  // namespace poolwarden::journal
