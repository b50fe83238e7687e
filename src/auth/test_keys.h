#pragma once
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace parley::auth {

/// A key pair as two PEM files of its own, gone with the object. For tests.
class TestKeyPair {
public:
    /// `kind`: "RSA" or "EC" (P-256); `bits` for RSA alone.
    explicit TestKeyPair(const std::string& kind, unsigned bits = 2048) {
        static int count = 0;
        const auto stem = std::filesystem::temp_directory_path() /
                          ("parley-key-" + std::to_string(::getpid()) + "-" + std::to_string(++count));
        private_file_ = stem.string() + ".pem";
        public_file_ = stem.string() + ".pub.pem";
        EVP_PKEY* key = kind == "RSA" ? EVP_RSA_gen(bits) : EVP_EC_gen("P-256");
        write(private_file_, [&](FILE* out) { PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr); });
        write(public_file_, [&](FILE* out) { PEM_write_PUBKEY(out, key); });
        EVP_PKEY_free(key);
    }
    ~TestKeyPair() {
        std::filesystem::remove(private_file_);
        std::filesystem::remove(public_file_);
    }
    TestKeyPair(const TestKeyPair&) = delete;
    TestKeyPair& operator=(const TestKeyPair&) = delete;

    [[nodiscard]] const std::string& private_file() const { return private_file_; }
    [[nodiscard]] const std::string& public_file() const { return public_file_; }
    [[nodiscard]] std::string private_pem() const { return read(private_file_); }
    [[nodiscard]] std::string public_pem() const { return read(public_file_); }

private:
    template <class F>
    static void write(const std::string& file, F body) {
        FILE* out = std::fopen(file.c_str(), "w");
        body(out);
        std::fclose(out);
    }
    static std::string read(const std::string& file) {
        std::ostringstream text;
        text << std::ifstream(file).rdbuf();
        return text.str();
    }

    std::string private_file_;
    std::string public_file_;
};

}  // namespace parley::auth
