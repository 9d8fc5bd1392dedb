"""The daemon: watches the folders of a library and has what changed there indexed."""
