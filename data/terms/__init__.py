"""What is agreed: frozen, keyword-only, valid or not born. What it is worth stands in derivatives, what is owed in settlement."""
