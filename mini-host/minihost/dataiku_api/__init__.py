"""The package `dataiku` as components see it, written anew from its published contract; `modules` puts it together."""
