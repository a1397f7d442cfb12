"""A run over thousands: its folder, its plan, its pace, its progress."""
