#pragma once
#include <memory>
#include <type_traits>
#include <utility>

namespace parley {

/// A callable that can only be moved: std::move_only_function, which g++ 12 lacks in C++20.
/// An empty one must not be called.
template <class Signature>
class UniqueFunction;

template <class R, class... Args>
class UniqueFunction<R(Args...)> {
public:
    UniqueFunction() = default;
    UniqueFunction(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)
    template <class F>
        requires(!std::is_same_v<std::remove_cvref_t<F>, UniqueFunction> &&
                 std::is_invocable_r_v<R, std::remove_cvref_t<F>&, Args...>)
    UniqueFunction(F&& f)  // NOLINT(google-explicit-constructor)
        : body_(std::make_unique<Body<std::remove_cvref_t<F>>>(std::forward<F>(f))) {}

    R operator()(Args... args) { return body_->call(std::forward<Args>(args)...); }
    explicit operator bool() const noexcept { return body_ != nullptr; }

private:
    struct Base {
        virtual ~Base() = default;
        virtual R call(Args... args) = 0;
    };
    template <class F>
    struct Body final : Base {
        explicit Body(F f) : f_(std::move(f)) {}
        R call(Args... args) override { return f_(std::forward<Args>(args)...); }
        F f_;
    };
    std::unique_ptr<Base> body_;
};

using Task = UniqueFunction<void()>;

}  // namespace parley
