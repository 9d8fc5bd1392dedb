"""What was read becomes small pictures and excerpts to look at; knows no file and no model."""
