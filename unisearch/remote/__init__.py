"""The library of a server, asked over HTTP with the methods of an engine in process."""
