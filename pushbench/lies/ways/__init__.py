"""How each lie is told, and how it is put right: a file each, with `both`, which gives one pair of numbers."""
