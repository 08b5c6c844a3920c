"""Sample pictures, drawn from random numbers: nobody's photos are needed to try a recipe."""
