"""Parameters of components: their types, what a form would show, and the configuration that a component gets."""
