"""Several runs made one: rows, pictures, people's words and journals, all carried along."""
