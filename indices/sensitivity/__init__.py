"""How firm a mark stands: without each contributor, by kind of input, and against one contributor's new trades or quotes."""
