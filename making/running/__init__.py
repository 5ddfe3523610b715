"""Running the book: chapters executed with given parameters, and the website made of them."""
