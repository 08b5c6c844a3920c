"""A folder for the module path of Python processes that a component starts: there, too, `import dataiku` works."""
