"""Files and values from users → checked arrays: read alike for training and for serving, with numpy alone."""
