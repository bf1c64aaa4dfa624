"""Rights on capacity: swing, take-or-pay, tolling, reliability, leases and generation switches."""
