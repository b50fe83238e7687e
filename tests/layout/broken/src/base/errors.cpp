ErrorInfo{Code::kX, "X_UNKNOWN"};
