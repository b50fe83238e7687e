#pragma once

namespace parley::wire {

/// A handler's answer to an event: kPause makes the decoder return at once, leaving the rest of the
/// bytes untouched.
enum class Flow : bool { kContinue, kPause };

}  // namespace parley::wire
