"""Makes the checkpoint that ships with the package: a teacher, its answers, and a student that learns them."""
