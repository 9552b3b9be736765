"""What tests share: servers, tokens and clients that are real."""
