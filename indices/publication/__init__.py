"""A publisher's day: drafts, checks, approval by a second person, a history that only grows, restatement, replay and evidence."""
