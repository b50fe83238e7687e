inline constexpr Key<bool> x_idle{};
