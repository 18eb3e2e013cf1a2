#include "journal/death_register.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <map>

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

}  // namespace

std::string DeathRegister::keep_in(const std::string& directory,
                                   CertificateFile::OnTrouble on_trouble) {
  auto claimed = CertificateFile::claim(directory);
  // Nor later: the numbers of two supervisors do not go together.
  if (!claimed && claimed.error().code == std::errc::operation_would_block)
    return "another supervisor has " + directory +
           ": death certificates are kept in memory only. Give each supervisor a state directory "
           "of its own";
  const CertificateFile::Earlier earlier = CertificateFile::read(directory);
  std::map<std::uint64_t, EarlierDeath> deaths;  // the last line with a number counts
  std::size_t skipped = 0;
  for (const std::string& line : earlier.lines) {
    if (auto death = earlier_death(line)) {
      const std::uint64_t number = death->certificate.number;
      deaths.insert_or_assign(number, std::move(*death));
    } else {
      ++skipped;
    }
  }
  for (auto& [number, death] : deaths) {
    history_.restore(life_from(death.certificate, death.noted));
    certificates_.restore(std::move(death.certificate));
  }
  file_ = std::make_unique<CertificateFile>(
      directory, claimed ? std::move(*claimed) : loop::UniqueFd(), std::move(on_trouble));
  if (!earlier.trouble.empty()) return earlier.trouble;
  if (skipped == 0) return "";
  return std::to_string(skipped) + (skipped == 1 ? " line" : " lines") +
         " of the certificates in " + directory + " could not be read and " +
         (skipped == 1 ? "was" : "were") + " skipped";
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
    if (kept) later->certificate = kept;
  }
  history_.record(told, at);
  if (kept) write(*kept);
  return told;
}

void DeathRegister::write(const diagnosis::Certificate& certificate) {
  if (!file_) return;
  json::object line = as_json(certificate);
  if (const auto life = history_.of_certificate(certificate.number)) line[kLife] = as_json(*life);
  file_->append(json::serialize(line));
}

json::array DeathRegister::history(const CertificateQuery& query) const {
  json::array lives;
  for (const Life& life : history_.find(query.pool, query.slot, query.at_most))
    lives.push_back(as_json(life));
  return lives;
}

json::array as_json(const std::vector<KeptCertificate>& certificates) {
  json::array all;
  for (const KeptCertificate& certificate : certificates) all.push_back(as_json(*certificate));
  return all;
}

}  // namespace poolwarden::journal
