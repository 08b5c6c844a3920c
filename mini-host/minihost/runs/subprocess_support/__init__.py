"""Put on the module path of Python processes that a component starts, so that `import dataiku` works there too."""
