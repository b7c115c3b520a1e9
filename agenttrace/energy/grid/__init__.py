"""The electricity grid by the hour, and certificates: what the user imports of them."""
