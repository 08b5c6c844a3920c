"""Served models over HTTP: three protocols, their limits, and what an operator watches."""
