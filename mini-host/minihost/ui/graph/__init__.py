"""The flow as a picture: columns from left to right, and the SVG that shows them."""
