"""Syntaxes that several readers share."""
