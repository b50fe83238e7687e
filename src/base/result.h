#pragma once
#include <tl/expected.hpp>

#include <string>
#include <utility>

#include "base/errors.h"

namespace parley {

/// Why an operation did not happen. `code` is what a client sees (errors.h says status, retry and
/// text); `message` names what and where, in English, and never holds a token or a secret.
struct Error {
    Code code = Code::kInternal;
    std::string message;
};

/// A value or an Error, for failures that are normal. The one place that names tl::expected.
template <class T = void>
class [[nodiscard]] Result : public tl::expected<T, Error> {
public:
    using tl::expected<T, Error>::expected;
};

[[nodiscard]] inline tl::unexpected<Error> fail(Code code, std::string message) {
    return tl::unexpected<Error>(Error{code, std::move(message)});
}
[[nodiscard]] inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace parley
