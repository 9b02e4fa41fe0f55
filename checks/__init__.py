"""Great Expectations about the lake's tables, and the data-quality report that tells people about them."""
