"""What is dangerous in the hands of those who do not know."""
