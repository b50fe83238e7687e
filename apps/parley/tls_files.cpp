#include "tls_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "base/config_keys.h"
#include "base/logger.h"
#include "private_file.h"
#include "settings.h"

namespace parley::app {
namespace {

constexpr std::chrono::hours kTicketKeyLife{24};

}  // namespace

bool TlsFiles::wanted(const Config& config) {
    return config.get(keys::tls_self_signed) || !config.get(keys::tls_certificate).empty();
}

Result<TlsFiles> TlsFiles::of(const Config& config, const Clock& clock) {
    TlsFiles out{clock};
    out.files_.certificates = config.get(keys::tls_certificate);
    out.files_.keys = config.get(keys::tls_key);
    out.places_ = {fmt::format("tls.certificate ({})", config.origin(keys::tls_certificate)),
                   fmt::format("tls.key ({})", config.origin(keys::tls_key))};
    out.files_.only_tls_1_3 = config.get(keys::tls_min_version) == "1.3";
    if (!config.get(keys::tls_self_signed)) return out;
    const auto folder = make_data_dir(config);
    if (!folder) return fail(folder.error());
    const auto certificate = *folder / "self-signed.pem";
    const auto key = *folder / "self-signed.key";
    if (!std::filesystem::exists(certificate) || !std::filesystem::exists(key)) {
        const auto made = rt::make_self_signed();
        if (!made) return fail(made.error());
        if (auto kept = write_private_file(key, made->key); !kept) return fail(kept.error());
        if (auto kept = write_private_file(certificate, made->certificate); !kept) return fail(kept.error());
        logger::info("parley",
                     "made a self-signed certificate for localhost, 127.0.0.1 and ::1; clients have to be told "
                     "to trust it",
                     {{"certificate", certificate.string()}});
    }
    out.files_.certificates = {certificate.string()};
    out.files_.keys = {key.string()};
    out.places_.fill(fmt::format("tls.self_signed ({})", config.origin(keys::tls_self_signed)));
    return out;
}

Result<std::shared_ptr<const rt::TlsContext>> TlsFiles::load() {
    loaded_ = seen_ = look();
    loaded_at_ = clock_.steady();
    auto loaded = rt::TlsContext::load(files_);
    if (loaded) return loaded;
    const std::string& why = loaded.error().message;
    const bool is_key = std::ranges::any_of(files_.keys, [&](const auto& file) { return why.starts_with(file + ':'); });
    return fail(loaded.error().code, places_[is_key ? 1 : 0] + ": " + why);
}

bool TlsFiles::load_is_due() {
    const std::string now = look();
    const bool is_settled = now == std::exchange(seen_, now);
    return (is_settled && now != loaded_) || clock_.steady() - loaded_at_ >= kTicketKeyLife;
}

std::string TlsFiles::look() const {
    std::string out;
    for (const auto* list : {&files_.certificates, &files_.keys}) {
        for (const std::string& path : *list) {
            struct stat file {};
            if (::stat(path.c_str(), &file) != 0) file = {};
            out += fmt::format("{} {}.{} {};", file.st_ino, file.st_mtim.tv_sec, file.st_mtim.tv_nsec, file.st_size);
        }
    }
    return out;
}

}  // namespace parley::app
