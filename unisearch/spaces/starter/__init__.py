"""The small trained space that ships with the product: one transformer for four modalities."""
