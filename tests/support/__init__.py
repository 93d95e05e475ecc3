"""What tests share: builders, oracles, engines and fakes."""
