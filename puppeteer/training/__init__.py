"""Data, training and evaluation of the compact networks. Imports the runtime, never the reverse."""
