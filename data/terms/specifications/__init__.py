"""Rules of listed contracts, and what they settle on when their index jumps, halts or ends."""
