"""Published benchmarks read as what they are evidence of: how much work a bundle of accelerators and their hosts does in an hour."""
