#include "auth/sealed.h"

#include <openssl/evp.h>

#include <array>
#include <memory>

namespace parley::auth {
namespace {

constexpr std::size_t kTag = 16;
constexpr std::array<unsigned char, 12> kNonce{};

struct FreeContext {
    void operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

std::string seal_once(std::string_view key, std::string_view text) {
    const Context context{EVP_CIPHER_CTX_new()};
    std::string sealed(text.size() + kTag, '\0');
    int length = 0;
    int last = 0;
    if (key.size() != 32 || !context ||
        EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes(key), kNonce.data()) != 1 ||
        EVP_EncryptUpdate(context.get(), bytes(sealed), &length, bytes(text), static_cast<int>(text.size())) != 1 ||
        EVP_EncryptFinal_ex(context.get(), bytes(sealed) + length, &last) != 1 ||
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTag, bytes(sealed) + text.size()) != 1) {
        return {};
    }
    return sealed;
}

std::optional<std::string> open_sealed(std::string_view key, std::string_view sealed) {
    if (key.size() != 32 || sealed.size() < kTag) return std::nullopt;
    const Context context{EVP_CIPHER_CTX_new()};
    std::string text(sealed.size() - kTag, '\0');
    std::string tag{sealed.substr(text.size())};
    int length = 0;
    int last = 0;
    if (!context || EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes(key), kNonce.data()) != 1 ||
        EVP_DecryptUpdate(context.get(), bytes(text), &length, bytes(sealed), static_cast<int>(text.size())) != 1 ||
        EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTag, bytes(tag)) != 1 ||
        EVP_DecryptFinal_ex(context.get(), bytes(text) + length, &last) != 1) {
        return std::nullopt;
    }
    return text;
}

}  // namespace parley::auth
