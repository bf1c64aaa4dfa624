"""Rights on capacity in books: reliability, take-or-pay, swing, tolling, leases and generation switches, one kernel a kind."""
