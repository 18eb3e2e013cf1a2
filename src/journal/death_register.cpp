#include "journal/death_register.h"

#include <boost/json/parse.hpp>
#include <map>

#include "journal/certificate_bounds.h"
#include "journal/certificate_json.h"
#include "journal/json_values.h"

namespace poolwarden::journal {
namespace {

namespace json = boost::json;

constexpr const char* kLife = "life";  // beside the certificate's own keys, on the disk only

struct EarlierDeath {
  diagnosis::Certificate certificate;
  json::object noted;
};

std::optional<EarlierDeath> earlier_death(const std::string& line) {
  boost::system::error_code error;
  const json::value value = json::parse(line, error);
  if (error || !value.is_object()) return std::nullopt;
  auto certificate = certificate_from(value.get_object());
  if (!certificate) return std::nullopt;
  return EarlierDeath{std::move(*certificate), object_in(value.get_object(), kLife)};
}

std::string in_memory_only(const std::string& why) {
  return "keeps death certificates in memory only: " + why;
}

std::string skipped_words(std::size_t skipped, const std::string& directory) {
  return std::to_string(skipped) + (skipped == 1 ? " line" : " lines") +
         " of the certificates in " + directory + " could not be read and " +
         (skipped == 1 ? "was" : "were") + " skipped";
}

}  // namespace

std::string DeathRegister::keep_in(const std::string& directory,
                                   CertificateFile::OnTrouble on_trouble, Duration within) {
  auto opened = CertificateFile::open(directory, within);
  // Nor later: the numbers of two supervisors do not go together.
  if (!opened && opened.error().code == std::errc::operation_would_block)
    return "another supervisor has " + directory +
           ": death certificates are kept in memory only. Give each supervisor a state directory "
           "of its own";
  CertificateFile::Claim claim;
  std::string trouble;
  if (opened) {
    const std::size_t skipped = restore(opened->earlier.lines);
    if (skipped > 0) trouble = skipped_words(skipped, directory);
    if (!opened->earlier.trouble.empty()) trouble = opened->earlier.trouble;
    claim = std::move(opened->claim);
  } else {
    claim.trouble = opened.error().message;
  }
  if (!claim.trouble.empty()) trouble = in_memory_only(claim.trouble);
  file_ = std::make_unique<CertificateFile>(directory, std::move(claim), std::move(on_trouble));
  return trouble;
}

// The answer: how many could not be read.
std::size_t DeathRegister::restore(const std::vector<std::string>& lines) {
  std::map<std::uint64_t, EarlierDeath> deaths;  // the last line with a number counts
  std::size_t skipped = 0;
  for (const std::string& line : lines) {
    if (auto death = earlier_death(line)) {
      const std::uint64_t number = death->certificate.number;
      deaths.insert_or_assign(number, std::move(*death));
    } else {
      ++skipped;
    }
  }
  std::vector<Life> lives;
  for (auto& [number, death] : deaths) {
    lives.push_back(life_from(death.certificate, death.noted));
    certificates_.restore(std::move(death.certificate));
  }
  history_.restore(std::move(lives));
  return skipped;
}

pool::Event DeathRegister::enter(const pool::Event& event, WallTime at) {
  pool::Event told = event;
  KeptCertificate kept;
  if (auto* exit = std::get_if<pool::ExitDetails>(&told.details); exit && exit->certificate) {
    kept = certificates_.add(*exit->certificate);
    exit->certificate = kept;
  }
  if (auto* later = std::get_if<pool::PostMortemDetails>(&told.details);
      later && later->certificate) {
    kept = certificates_.amend(*later->certificate);
    later->certificate = kept ? kept
                              : std::make_shared<const diagnosis::Certificate>(
                                    bounded(*later->certificate));  // it was forgotten meanwhile
  }
  history_.record(told, at);
  if (kept) write(*kept);
  return told;
}

void DeathRegister::write(const diagnosis::Certificate& certificate) {
  if (!file_) return;
  json::object line = as_json(certificate);
  if (const auto life = history_.of_certificate(certificate.number)) line[kLife] = as_json(*life);
  file_->append(serialized(line));
}

json::array DeathRegister::history(const CertificateQuery& query) const {
  json::array lives;
  for (const Life& life : history_.find(query.pool, query.slot, query.at_most))
    lives.push_back(as_json(life));
  return lives;
}

Shown shown(const std::vector<KeptCertificate>& certificates, std::size_t at_most) {
  Shown answer;
  std::size_t bytes = 0;
  for (const KeptCertificate& certificate : certificates) {
    bytes += weight(*certificate);
    if (bytes > at_most && !answer.certificates.empty()) break;
    answer.certificates.push_back(as_json(*certificate));
  }
  answer.left_out = certificates.size() - answer.certificates.size();
  return answer;
}

}  // namespace poolwarden::journal
