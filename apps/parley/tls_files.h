#pragma once
#include <array>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/config.h"
#include "rt/tls_context.h"

namespace parley::app {

/// The certificates and keys of the configuration, which operators replace while the server runs.
/// Thread: the one that made it.
class TlsFiles {
public:
    [[nodiscard]] static bool wanted(const Config& config);
    /// Makes the self-signed pair where that is asked for and not there yet. Error: it cannot be kept.
    [[nodiscard]] static Result<TlsFiles> of(const Config& config, const Clock& clock);

    [[nodiscard]] Result<std::shared_ptr<const rt::TlsContext>> load();
    /// The files are not as they were at the last load() and did not change since the last call: nobody is writing them
    /// any more. Once a day it is due even so, for a fresh key of the tickets.
    [[nodiscard]] bool load_is_due();

private:
    explicit TlsFiles(const Clock& clock) : clock_(clock) {}
    [[nodiscard]] std::string look() const;

    const Clock& clock_;
    rt::TlsContext::Files files_;
    std::array<std::string, 2> places_;  ///< where the certificates and the keys are configured
    std::string loaded_;                 ///< how the files looked
    std::string seen_;
    SteadyTime loaded_at_{};
};

}  // namespace parley::app
