"""One query from start to finish: joins the rooms to read."""
