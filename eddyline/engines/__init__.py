"""What every engine that runs statements promises, and the engines there are."""
