#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "wire/json.h"
#include "wire/sockjs.h"
#include "wire/utf8.h"

namespace {

using namespace parley::wire;

/// What is encoded must be read back as it was, by a JSON reader that knows nothing of SockJS.
void check_round_trip(const std::vector<std::string_view>& messages) {
    std::string frame;
    append_sockjs_array(frame, messages);
    if (frame.front() != 'a' || !is_valid_utf8(frame) || frame.find('\n') != std::string::npos) std::abort();
    const JsonStrings read = parse_json_strings(std::string_view{frame}.substr(1));
    if (read.kind != JsonStrings::Kind::kStrings || read.values.size() != messages.size()) std::abort();
    for (std::size_t i = 0; i < messages.size(); ++i) {
        if (read.values[i] != messages[i]) std::abort();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    (void)parse_sockjs_path(input);
    for (const SockJsSource source : {SockJsSource::kHttp, SockJsSource::kWebSocket}) {
        const auto messages = parse_sockjs_messages(input, source);
        if (!messages) continue;
        for (const std::string& message : *messages) {
            if (!is_valid_utf8(message)) std::abort();
        }
        check_round_trip({messages->begin(), messages->end()});
    }
    if (is_valid_utf8(input)) {
        const std::size_t middle = input.find('|');
        check_round_trip({input, input.substr(0, middle), ""});
    }
    return 0;
}
