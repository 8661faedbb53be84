"""The guided generator: it sees the warped photo and paints what the warp cannot know."""
