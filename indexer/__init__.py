"""Watches the library's folders: joins the rooms to write. The only writer."""
