"""What tests of several folders use besides the fixtures."""
